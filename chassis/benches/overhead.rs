//! What a call costs at our door over bare tonic: authentication, authorisation by the shipped policies, limits, traces and metrics. The same handler on
//! both sides, each in a process of its own, turn and turn about; what counts is the processor time of the server, a call.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark panics where something is not as it must be, reads its arguments, and prints"
)]

use std::{
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use chassis::{Agency, Caller, Host};
use proto::ticketing::v1::{
    self as pb,
    ticketing_client::TicketingClient,
    ticketing_server::{Ticketing, TicketingServer},
};
use serde_json::json;
use tests::{Client, Port, Stage, eventually, way};
use tokio::task::JoinSet;
use tonic::{Request, Response, Status};

/// Rounds of each, of which the median counts.
const ROUNDS: usize = 5;
/// Calls a round, and so many at once.
const CALLS: usize = 20_000;
const AT_ONCE: usize = 32;
/// As the kernel counts (USER_HZ).
const TICK: Duration = Duration::from_millis(10);
const NAME: &str = "agencies/gz/tickets/019f0000-0000-8000-8000-000000000007";

/// The handler, alike on both sides but for who is asked.
struct Handler {
    asks: bool,
}

impl Handler {
    fn answer<T>(&self, request: &Request<T>, name: &str) -> Result<Response<pb::Ticket>, Status> {
        let [agency, _ticket] = proto::parse::name("name", name, ["agencies", "tickets"])?;
        let agency = Agency::from_segment("name", agency)?;
        if self.asks {
            Caller::of(request)?.may(&agency)?;
        }
        Ok(Response::new(pb::Ticket { name: name.to_owned(), title: "门户网站打不开".into(), ..pb::Ticket::default() }))
    }
}

type Answer<T> = Result<Response<T>, Status>;

fn not_here<T>() -> Answer<T> {
    Err(Status::unimplemented("not in this benchmark"))
}

#[tonic::async_trait]
impl Ticketing for Handler {
    async fn get_ticket(&self, request: Request<pb::GetTicketRequest>) -> Answer<pb::Ticket> {
        self.answer(&request, &request.get_ref().name)
    }

    async fn create_ticket(&self, _: Request<pb::CreateTicketRequest>) -> Answer<pb::Ticket> {
        not_here()
    }

    async fn list_tickets(&self, _: Request<pb::ListTicketsRequest>) -> Answer<pb::ListTicketsResponse> {
        not_here()
    }

    async fn list_ticket_events(&self, _: Request<pb::ListTicketEventsRequest>) -> Answer<pb::ListTicketEventsResponse> {
        not_here()
    }

    type WatchTicketsStream = futures::stream::Empty<Result<pb::WatchTicketsResponse, Status>>;

    async fn watch_tickets(&self, _: Request<pb::WatchTicketsRequest>) -> Answer<Self::WatchTicketsStream> {
        not_here()
    }

    async fn assign_ticket(&self, _: Request<pb::AssignTicketRequest>) -> Answer<pb::Ticket> {
        not_here()
    }

    async fn resolve_ticket(&self, _: Request<pb::ResolveTicketRequest>) -> Answer<pb::Ticket> {
        not_here()
    }

    async fn confirm_ticket(&self, _: Request<pb::ConfirmTicketRequest>) -> Answer<pb::Ticket> {
        not_here()
    }

    async fn close_ticket(&self, _: Request<pb::CloseTicketRequest>) -> Answer<pb::Ticket> {
        not_here()
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == "serve") {
        return chassis::run("ticketing", "[service]", async |Nothing {}: Nothing, host: &mut Host| {
            host.serve(TicketingServer::new(Handler { asks: true }));
            Ok(())
        });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    match arguments.iter().position(|argument| argument == "bare") {
        Some(at) => {
            let address = arguments[at + 1].parse().unwrap();
            let server = tonic::transport::Server::builder().add_service(TicketingServer::new(Handler { asks: false }));
            runtime.block_on(server.serve(address)).unwrap();
        }
        None => runtime.block_on(measure()),
    }
    ExitCode::SUCCESS
}

/// A server's process, which ends with the benchmark.
struct Server {
    child: Child,
    client: TicketingClient<Client>,
}

impl Server {
    async fn start(arguments: &[&str], port: u16, token: &str) -> Self {
        let child = Command::new(std::env::current_exe().unwrap()).args(arguments).stdout(Stdio::null()).spawn().unwrap();
        let client = TicketingClient::new(way(([127, 0, 0, 1], port).into(), token.to_owned()));
        eventually("the server to answer", || {
            let mut client = client.clone();
            async move { client.get_ticket(pb::GetTicketRequest { name: NAME.into() }).await }
        })
        .await;
        Self { child, client }
    }

    /// Microseconds of the server's processors a call, and seconds of the wall.
    async fn round(&self) -> (f64, f64) {
        let (began, spent) = (Instant::now(), self.spent());
        let mut callers = JoinSet::new();
        for _ in 0..AT_ONCE {
            let mut client = self.client.clone();
            callers.spawn(async move {
                for _ in 0..CALLS / AT_ONCE {
                    client.get_ticket(pb::GetTicketRequest { name: NAME.into() }).await.unwrap();
                }
            });
        }
        callers.join_all().await;
        let spent = self.spent() - spent;
        (spent.as_secs_f64() * 1e6 / CALLS as f64, began.elapsed().as_secs_f64())
    }

    fn spent(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        // utime and stime are the 14th and 15th, the state is the 3rd.
        let ticks: u32 = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u32>().unwrap()).sum();
        TICK * ticks
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn measure() {
    let stage = Stage::set().await;
    let ports = [Port::claim(), Port::claim(), Port::claim()];
    let [grpc, http, bare] = ports.each_ref().map(Port::number);
    let token = stage.issuer.sign(&stage.issuer.person("li", &["desk_agent"], &["gz"]));
    let settings = stage.folder().join("overhead.toml");
    write_settings(&settings, &stage, grpc, http);
    let ours = Server::start(&["--settings", settings.to_str().unwrap(), "serve"], grpc, &token).await;
    let peer = Server::start(&["bare", &format!("127.0.0.1:{bare}")], bare, &token).await;
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (ours, peer) = (ours.round().await, peer.round().await);
        // The first warms both up.
        if round > 0 {
            a.push(ours.0);
            b.push(peer.0);
        }
    }
    let (ours, peer) = (median(a), median(b));
    println!(
        "{}",
        json!({"name": "call at our door", "unit": "µs of processor", "ours": ours, "peer": peer, "peer_name": "bare tonic", "ratio": peer / ours})
    );
    println!("{}", json!({"name": "call-overhead", "unit": "µs of processor", "ours": ours - peer}));
}

fn write_settings(file: &Path, stage: &Stage, grpc: u16, http: u16) {
    let text = format!(
        "[host]\ngrpc = \"127.0.0.1:{grpc}\"\nhttp = \"127.0.0.1:{http}\"\ndrain = \"0s\"\npolicies = \"{}\"\n\
         [host.limits]\nredis = \"\"\nper_second = 1000000\nburst = 1000000\nreplicas = 1\n{}[service]\n",
        tests::policies().display(),
        stage.identity("ticketing")
    );
    std::fs::write(file, text).unwrap();
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

/// This service is told nothing.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}
