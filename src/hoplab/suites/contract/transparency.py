"""The symptoms of a topology that is not transparent: it changes what passes.

What a proxy or a server has to do with them stands in its own folder or file.
"""

from hoplab.symptom import Symptom

_RFC = "https://www.rfc-editor.org/rfc"

_LEAVE_IT = "Configure the proxy to pass it on as it is."

# fmt: off
# A table: as the formatter breaks it, a symptom would not fit on a screen with the next.
TRANSPARENCY = (
    Symptom("request-changed", path="/request?a=%20+&b",
        seen="The application gets another method, query, header or body than the client sent: a"
        " login is lost, a signature is wrong, a file is damaged.",
        cause="A hop sets, drops or rewrites it; or it accepts an upload in a form that it does not"
        " pass on.",
        fix=f"Remove the rule that changes it. {_LEAVE_IT}",
        references=(f"{_RFC}/rfc9110#section-7.6",)),
    Symptom("request-repeated", path="/answer?status=503", method="POST",
        seen="One POST arrives several times: an order is placed twice.",
        cause="The proxy sends a request again if the first answer is an error or does not come, or"
        " sends a copy to another service. Only idempotent methods may be repeated.",
        fix="Configure the proxy to repeat only idempotent methods, and to mirror nothing to the"
        " same application.",
        references=(f"{_RFC}/rfc9110#section-9.2.2",)),
    Symptom("answer-changed", path="/answer",
        seen="The client gets another status, header or body than the application sent: cookies are"
        " missing, a cache keeps what it should not, a download has no name.",
        cause="A hop sets, drops or doubles headers, compresses for a client that did not ask, or"
        " rewrites bodies. Headers that both the application and the proxy set come twice.",
        fix="Set each header in one place only: the application or the proxy. Remove the rule that"
        f" changes the rest. {_LEAVE_IT}",
        references=(f"{_RFC}/rfc9110#section-7.7",)),
    Symptom("error-page-replaced", path="/answer?status=404",
        seen="Errors come as the proxy's own page: a client gets HTML where the application sent"
        " JSON, and the reason is lost.",
        cause="The proxy replaces answers with a status of 400 or more by pages of its own.",
        fix="Configure the proxy to pass the application's errors on. Keep the proxy's own pages"
        " for its own errors.",
        references=(f"{_RFC}/rfc9110#section-7.7",)),
    Symptom("answer-cut", path="/answer?size=262144",
        seen="An answer ends in the middle: a download is too short, or JSON does not parse.",
        cause="A connection ended before the answer did, for example by a time-out, a full disk or"
        " a process that was killed.",
        fix="Read the logs of the proxy and of the application at that time: they say which of"
        " them ended the connection. Raise the time-out, or send data more often.",
        references=(f"{_RFC}/rfc9112#section-8",)),
    Symptom("answer-missing", path="/answer",
        seen="The connection ends without an answer: a browser shows an error page of its own.",
        cause="A hop ended the connection before it answered, for example by a time-out for slow"
        " uploads or slow answers, or because a process was killed.",
        fix="Read the logs of the proxy and of the application at that time: they say which of"
        " them ended the connection. Raise the time-out.",
        references=(f"{_RFC}/rfc9112#section-9.5",)),
    Symptom("answer-shared", path="/request",
        seen="A client gets the answer to somebody else's request: another person's page, or an old"
        " one.",
        cause="A cache keeps answers that it was not allowed to keep, under a key that lacks what"
        " the answer depends on, such as cookies.",
        fix="Turn the cache off for the application, or make it obey Cache-Control and Vary. Have"
        " the application send Cache-Control: private or no-store.",
        references=(f"{_RFC}/rfc9111#section-3", f"{_RFC}/rfc9111#section-4.1")),
    Symptom("answers-swapped", path="/request",
        seen="Under load, answers belong to other requests of the same connection.",
        cause="A hop answers pipelined requests in another order, or leaves bytes of one answer in"
        " the connection, where the next begins.",
        fix="Update the proxy and the server. If that does not help, allow only one request per"
        " connection between them.",
        references=(f"{_RFC}/rfc9112#section-9.3.2",)),
    Symptom("others-wait", path="/events?count=2&interval=4",
        seen="While one client has a stream of events, others get no answer: the site stands still"
        " until the stream sends something, or ends.",
        cause="A route or middleware of the application blocks, without await: every other request"
        " in this process waits with it. Or the proxy has too few connections to the application.",
        fix="Await what blocks. Where that is impossible, declare the route with def in place of"
        " async def: it then runs in a thread. Give the proxy as many connections to the"
        " application as it has clients.",
        references=("https://fastapi.tiangolo.com/async/",)),
    Symptom("route-differs", path="/docs",
        seen="Most pages are right, but some see another scheme, host or client: downloads, events"
        " or WebSockets are http on an https site, or believe what a client says.",
        cause="The proxy has a rule of its own for these paths, and that rule does not repeat the"
        " header lines. Or a middleware of the application handles only some paths.",
        fix="Repeat the header lines in every rule that passes requests on, or keep them in one"
        " place that all rules use.",
        references=("https://fastapi.tiangolo.com/advanced/behind-a-proxy/",)),
    Symptom("websocket-changed", path="/ws/mirror", method="WEBSOCKET",
        seen="A WebSocket opens, but messages, the subprotocol, the close code, or the headers or"
        " query of the handshake are not those that were sent.",
        cause="A hop sets or drops a header of the handshake, or takes part in the conversation"
        " instead of passing bytes on. ASGI servers limit the size of a message.",
        fix="Configure the proxy to pass Sec-WebSocket-Protocol and the other headers of the"
        " handshake on, and to inspect no messages.",
        references=(f"{_RFC}/rfc6455#section-4.1", f"{_RFC}/rfc6455#section-7.4")),
    Symptom("websocket-ended", path="/ws/mirror", method="WEBSOCKET",
        seen="A WebSocket closes by itself: after a large message, a ping or a short silence.",
        cause="A time-out of a hop is shorter than the silence, or a message is larger than a hop"
        " allows.",
        fix="Raise the proxy's time-out for idle connections, and the ASGI server's limit for the"
        " size of messages. Have one side send a ping now and then.",
        references=(f"{_RFC}/rfc6455#section-5.5.2",)),
    Symptom("disconnect-unnoticed", path="/endless/0",
        seen="Clients leave, and the application keeps working for them, until it has no connection"
        " or memory left.",
        cause="The proxy reads the answer to its end although its client has gone. Or a middleware"
        " of the application does not pass http.disconnect on.",
        fix="Configure the proxy to close the connection to the application when the client closes"
        " its own.",
        references=("https://asgi.readthedocs.io/en/latest/specs/www.html#disconnect-receive-event",)),
)
# fmt: on
