"""The report as JSON, for programs. One object; `verdict` and `status` come first."""

import json
from typing import Any

from hoplab.diagnosis.completeness import is_complete, scheme
from hoplab.diagnosis.faults import FAULTS
from hoplab.diagnosis.text import filled
from hoplab.diagnosis.words import STATUS, Group, Report


def render(report: Report) -> str:
    """The whole report, in ASCII: nothing that a site sent can be taken for something else."""
    diagnosis = report.diagnosis
    told: dict[str, Any] = {
        "verdict": diagnosis.verdict,
        "status": STATUS[diagnosis.verdict],
        "why": diagnosis.why,
        "url": report.url,
        "base": report.base,
        "prefix": report.prefix,
        "requests": report.requests,
        "seconds": round(report.seconds, 2),
        "unfinished": report.unfinished,
        "complete": is_complete(report),
        "scheme": scheme(report),
        "proxy": report.known.proxy,
        "proxy_guessed_from": report.known.why_proxy,
        "server": report.known.server,
        "server_guessed_from": report.known.why_server,
        "findings": [
            {"question": each.question, "symbol": each.symbol, "told": each.wrong}
            for each in report.sheet.findings
        ],
        "causes": [_group(group, report.prefix) for group in diagnosis.groups],
        "other_explanations": [
            [_group(group, report.prefix) for group in other] for other in diagnosis.other
        ],
        "notes": [_group(group, report.prefix) for group in diagnosis.notes],
        "unexplained": [{"question": a.question, "symbol": a.symbol} for a in diagnosis.odd],
        "prescriptions": [
            {
                "fault": each.fault,
                "of": each.of,
                "text": each.text,
                "lines": list(each.lines),
                "references": list(each.references),
                "guessed": each.guessed,
            }
            for each in report.prescriptions
        ],
        "answers": {
            question: {
                "symbol": answer.symbol,
                "told": answer.told,
                "exchanges": [str(each) for each in answer.exchanges],
            }
            for question, answer in report.sheet.answers.items()
        },
        "unasked": [{"question": each.question, "why": each.why} for each in report.sheet.unasked],
    }
    return json.dumps(told, indent=2) + "\n"


def _group(group: Group, prefix: str) -> dict[str, Any]:
    return {
        "one_of": [
            {
                "fault": cause.fault,
                "area": cause.area,
                "title": filled(FAULTS[cause.fault].title, prefix),
                "why": filled(FAULTS[cause.fault].why, prefix),
                "change": filled(FAULTS[cause.fault].change, prefix),
                "references": list(FAULTS[cause.fault].references),
                "evidence": [
                    {
                        "question": each.answer.question,
                        "symbol": each.answer.symbol,
                        "weighs": each.weighs,
                        "expected": each.expected,
                    }
                    for each in cause.evidence
                ],
            }
            for cause in group.causes
        ],
        "asks": filled(group.asks, prefix),
        "settles": group.settles,
    }
