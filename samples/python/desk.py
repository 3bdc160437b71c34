"""另一使用方的系统如何报修。How another agency's system asks for service: nothing but grpcio and the .proto files.

    python3 desk.py --address 127.0.0.1:7000 --token-file token --agency gz-demo

It asks for tickets, once each however often it must ask; reads them page by page; watches what becomes of them, and goes on where it was; and shows how
it is refused.
"""

import argparse
import json
import pathlib
import sys
import time
import uuid

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"
sys.path.insert(0, str(PROTO))
pb, rpc = grpc.protos_and_services("opsmesh/ticketing/v1/ticketing.proto")

DEADLINE = 10  # seconds for one attempt
ATTEMPTS = 5


def details(error):
    """What a refusal says: the stable reason, the sentence in Chinese, the field, and when to ask again."""
    said = {"code": error.code().name, "reason": "", "message": error.details(), "field": "", "again": None}
    status = rpc_status.from_call(error)
    for any_ in status.details if status else []:
        for kind in ("ErrorInfo", "LocalizedMessage", "BadRequest", "RetryInfo"):
            detail = getattr(error_details_pb2, kind)()
            if not any_.Unpack(detail):
                continue
            if kind == "ErrorInfo":
                said["reason"] = detail.reason
            elif kind == "LocalizedMessage":
                said["message"] = detail.message
            elif kind == "BadRequest":
                said["field"] = detail.field_violations[0].field
            else:
                said["again"] = detail.retry_delay.ToMilliseconds() / 1000
    return said


def ask(method, request):
    """Asks, and asks again where the answer says that this may help. A mutation keeps its request_id: it has one effect."""
    for attempt in range(ATTEMPTS):
        try:
            return method(request, timeout=DEADLINE)
        except grpc.RpcError as error:
            said = details(error)
            lost = error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
            if attempt + 1 == ATTEMPTS or (said["again"] is None and not lost):
                raise
            time.sleep(said["again"] or 0.2 * 2**attempt)


def refused(method, request):
    try:
        method(request, timeout=DEADLINE)
    except grpc.RpcError as error:
        return details(error)
    raise SystemExit("this should have been refused")


def main():
    parser = argparse.ArgumentParser()
    for name in ("address", "token-file", "agency"):
        parser.add_argument(f"--{name}", required=True)
    arguments = parser.parse_args()
    bearer = [("authorization", "Bearer " + pathlib.Path(arguments.token_file).read_text().strip())]
    agency = f"agencies/{arguments.agency}"

    with grpc.insecure_channel(arguments.address) as channel:
        desk = rpc.TicketingStub(channel)

        def method(name):
            return lambda request, timeout: getattr(desk, name)(request, timeout=timeout, metadata=bearer)

        def watch(token, follow):
            request = pb.WatchTicketsRequest(parent=agency, resume_token=token, follow=follow)
            # Without a deadline of the caller's: it ends by itself, and whoever goes on asks again with the last token.
            return desk.WatchTickets(request, metadata=bearer)

        following = watch("", True)
        next(following)  # Says at once where it begins.

        made, again = [], []
        for number in range(5):
            request = pb.CreateTicketRequest(
                parent=agency,
                ticket=pb.Ticket(title=f"打印机 {number} 号卡纸", grade=pb.GRADE_IV),
                request_id=str(uuid.uuid4()),
            )
            made.append(ask(method("CreateTicket"), request).name)
            # As if the answer had been lost on its way: the same request once more.
            again.append(ask(method("CreateTicket"), request).name)

        listed, pages, token = [], 0, ""
        while True:
            request = pb.ListTicketsRequest(parent=agency, filter="title : 打印机", page_size=2, page_token=token)
            page = ask(method("ListTickets"), request)
            listed += [ticket.name for ticket in page.tickets]
            pages, token = pages + 1, page.next_page_token
            if not token:
                break

        watched = []
        for news in following:
            if news.type.endswith(".TicketOpened"):
                watched.append((news.ticket.name, news.resume_token))
            if len(watched) == len(made):
                following.cancel()
                break
        # As if the line had been lost after the second: what came after that, and no more.
        resumed = [news.ticket.name for news in watch(watched[1][1], False) if news.type]

        elsewhere = pb.ListTicketsRequest(parent="agencies/of-somebody-else")
        close = pb.CloseTicketRequest(name=made[0], request_id=str(uuid.uuid4()))
        nameless = pb.CreateTicketRequest(
            parent=agency, ticket=pb.Ticket(grade=pb.GRADE_IV), request_id=str(uuid.uuid4())
        )
        report = {
            "made": made,
            "again": again,
            "listed": listed,
            "pages": pages,
            "watched": [name for name, _ in watched],
            "resumed": resumed,
            "refusals": {
                "elsewhere": refused(method("ListTickets"), elsewhere),
                "not_ours_to_do": refused(method("CloseTicket"), close),
                "nameless": refused(method("CreateTicket"), nameless),
            },
        }
    print(json.dumps(report, ensure_ascii=False))


main()
