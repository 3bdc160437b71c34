"""另一使用方的系统如何接收事实。How another agency's system hears of what became true: nothing but pika.

    python3 facts.py amqp://user:password@127.0.0.1:5672/opsmesh '#.gz-demo'

It binds a queue of its own and prints each fact, a line of JSON each. What they look like: docs/asyncapi.json.
"""

import json
import sys

import pika

url, pattern = sys.argv[1:3]
channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
# Durable and replicated: what comes while this program is away waits for it.
channel.queue_declare("of-another-system", durable=True, arguments={"x-queue-type": "quorum"})
channel.queue_bind("of-another-system", "opsmesh.facts", pattern)
print("ready", file=sys.stderr, flush=True)
for method, _, body in channel.consume("of-another-system"):
    facts = json.loads(body)
    # Those that waited together come together, as a list, in their order.
    for fact in facts if isinstance(facts, list) else [facts]:
        print(json.dumps(fact, ensure_ascii=False), flush=True)
    # At least once: whoever changes something remembers each fact["id"] in the same transaction, and acknowledges after it.
    channel.basic_ack(method.delivery_tag)
