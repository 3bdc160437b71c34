//! The program as it is released, told to stop while clients hold on to it.
use std::time::Duration;

use proto::ticketing::v1::{self as pb, ticketing_client::TicketingClient};
use tests::{Program, Stage, eventually, way};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::{
    abuse::Connection,
    desk::{AGENCY, call},
};

/// 25 seconds are promised, of which 3 are the drain, which is left out here.
const PROMISED: Duration = Duration::from_secs(22);

#[tokio::test(flavor = "multi_thread")]
async fn a_process_stops_in_time_while_streams_are_open_and_clients_are_silent() {
    let mut stage = Stage::set().await;
    let database = stage.database().await;
    let settings = format!(
        "{}[service.database]\nurl = \"{}\"\nconnections = 5\n[service.broker]\nurl = \"{}\"\n",
        stage.identity("ticketing"),
        database.url.expose(),
        stage.broker()
    );
    let mut program = Program::start("ticketing", stage.folder(), &settings);
    program.ready().await;
    let token = stage.issuer.sign(&stage.issuer.person("li", &["desk_agent"], &[AGENCY]));

    // Some say nothing; some open HTTP/2 and then neither answer nor close; some begin a request and do not end it.
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(program.grpc).await.unwrap());
        let mut opened = TcpStream::connect(program.grpc).await.unwrap();
        opened.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        opened.read_exact(&mut [0; 9]).await.unwrap();
        silent.push(opened);
    }
    let mut stalled = Connection::open(program.grpc).await;
    let begun: Vec<_> = (0..20).map(|_| stalled.begin(&token)).collect();
    // One wants to be told of health for as long as there is any.
    let channel = tonic::transport::Endpoint::from_shared(format!("http://{}", program.grpc)).unwrap().connect().await.unwrap();
    let request = tonic_health::pb::HealthCheckRequest { service: String::new() };
    let mut watching = tonic_health::pb::health_client::HealthClient::new(channel).watch(request).await.unwrap().into_inner();
    watching.message().await.unwrap();
    // And some work.
    let mut busy = JoinSet::new();
    for _ in 0..8 {
        let mut client = TicketingClient::new(way(program.grpc, token.clone()));
        busy.spawn(async move {
            let mut acknowledged = Vec::new();
            while let Ok(ticket) = client.create_ticket(call("门户打不开")).await {
                acknowledged.push(ticket.into_inner().name);
            }
            acknowledged
        });
    }
    let mut lister = TicketingClient::new(way(program.grpc, token.clone()));
    let list = pb::ListTicketsRequest { parent: format!("agencies/{AGENCY}"), ..Default::default() };
    eventually("work to be under way", || {
        let (mut lister, list) = (lister.clone(), list.clone());
        async move {
            let tickets = lister.list_tickets(list).await.map_err(|error| error.to_string())?.into_inner().tickets;
            if tickets.len() > 20 { Ok(()) } else { Err(tickets.len().to_string()) }
        }
    })
    .await;

    program.stop(PROMISED).await;
    let acknowledged: Vec<String> = busy.join_all().await.concat();
    drop((silent, begun, stalled, watching));

    // What was acknowledged is there.
    program.restart().await;
    for name in acknowledged {
        lister.get_ticket(pb::GetTicketRequest { name: name.clone() }).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}
