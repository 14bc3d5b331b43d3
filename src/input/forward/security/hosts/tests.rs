//! Hosts whose addresses change, go away or cannot be found out.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};

use hickory_resolver::config::NameServerConfig;
use hickory_resolver::proto::xfer::Protocol;
use tokio::net::UdpSocket;

use super::*;

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));
const SIX: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

/// Addresses that follow these answers about IPv4, one after another; the last one stays. About IPv6 there is this one.
fn following(v4: Vec<Answer>, v6: Answer, stop: &CancellationToken) -> HostAddresses {
    let answers = Mutex::new(VecDeque::from(v4));
    let look_up = move |family| {
        let mut answers = answers.lock().expect("nobody panics with it");
        let last = answers.len() == 1;
        let answer = match family {
            Family::V6 => Some(v6.clone()),
            Family::V4 if last => answers.front().cloned(),
            Family::V4 => answers.pop_front(),
        };
        std::future::ready(answer.expect("there is one"))
    };
    HostAddresses::follow("host".into(), look_up, [Duration::from_millis(1); 2], stop.clone())
}

async fn until_known(addresses: &mut HostAddresses, wanted: &[IpAddr]) {
    let known = addresses.0.wait_for(|known| known.v4.as_deref() == Some(wanted));
    timeout(Duration::from_secs(20), known).await.expect("in time").expect("it is followed");
}

#[tokio::test]
async fn a_host_is_followed_to_its_new_address() {
    let stop = CancellationToken::new();
    let mut addresses = following(vec![Ok(vec![HERE]), Ok(vec![THERE])], Ok(vec![SIX]), &stop);
    until_known(&mut addresses, &[THERE]).await;
    assert!(addresses.contain(THERE).await && addresses.contain(SIX).await);
    assert!(!addresses.contain(HERE).await);
}

#[tokio::test]
async fn what_is_known_stays_while_the_name_server_fails() {
    let stop = CancellationToken::new();
    let mut addresses =
        following(vec![Ok(vec![HERE]), Err("no answer".into())], Err("no answer".into()), &stop);
    until_known(&mut addresses, &[HERE]).await;
    for _ in 0..4 {
        addresses.0.changed().await.expect("it is looked up again");
    }
    assert!(addresses.contain(HERE).await);
    assert!(!addresses.contain(SIX).await, "and the wait for it has ended");
}

#[tokio::test]
async fn a_host_that_is_not_found_covers_nobody_until_it_is() {
    let stop = CancellationToken::new();
    let mut addresses =
        following(vec![Err("no answer".into()), Ok(vec![HERE])], Err("no answer".into()), &stop);
    until_known(&mut addresses, &[HERE]).await;
    let never = following(vec![Err("no answer".into())], Err("no answer".into()), &stop);
    assert!(!never.contain(HERE).await, "and the wait for it has ended");
}

#[tokio::test]
async fn a_host_whose_name_was_taken_away_covers_nobody_any_more() {
    let stop = CancellationToken::new();
    let mut addresses = following(vec![Ok(vec![HERE]), Ok(Vec::new())], Ok(Vec::new()), &stop);
    until_known(&mut addresses, &[]).await;
    assert!(!addresses.contain(HERE).await);
}

#[tokio::test]
async fn a_family_that_nobody_answers_about_keeps_no_client_of_the_other_waiting() {
    let stop = CancellationToken::new();
    let look_up = |family| async move {
        match family {
            Family::V4 => Ok(vec![HERE]),
            Family::V6 => std::future::pending().await,
        }
    };
    let addresses = HostAddresses::follow("host".into(), look_up, [LOOK_UP; 2], stop);
    let known = timeout(Duration::from_secs(20), addresses.contain(HERE)).await;
    assert!(known.expect("nobody waits for the other family"));
}

/// A name server whose answers to everything have this code, and with code 0 an address of each family.
async fn server() -> (SocketAddr, Arc<AtomicU8>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let (address, code) = (socket.local_addr().expect("an address"), Arc::new(AtomicU8::new(0)));
    let answers = Arc::clone(&code);
    tokio::spawn(async move {
        let mut question = [0; 512];
        while let Ok((length, peer)) = socket.recv_from(&mut question).await {
            let code = answers.load(Ordering::Relaxed);
            socket.send_to(&answer(&question[..length], code), peer).await.expect("sent");
        }
    });
    (address, code)
}

fn answer(question: &[u8], code: u8) -> Vec<u8> {
    let end = 12 + question[12..].iter().position(|byte| *byte == 0).expect("a name's end") + 5;
    let address = match (code, question[end - 3]) {
        (0, 1) => [192, 0, 2, 7].to_vec(),
        (0, 28) => std::net::Ipv6Addr::LOCALHOST.octets().to_vec(),
        _ => Vec::new(),
    };
    let answers = u8::from(!address.is_empty());
    let head = [0x81, 0x80 | code, 0, 1, 0, answers, 0, 0, 0, 0];
    let mut out = [&question[..2], &head, &question[12..end]].concat();
    if answers == 1 {
        // The question's name, its type and class, good for no time, so that no cache keeps it.
        out.extend([&[0xc0, 12], &question[end - 4..end], &[0, 0, 0, 0, 0, address.len() as u8]].concat());
        out.extend(address);
    }
    out
}

#[tokio::test]
async fn both_families_are_found_and_no_such_name_is_an_answer_where_a_failing_server_is_none() {
    let (address, code) = server().await;
    let hosts = Hosts::built(|| {
        let mut config = ResolverConfig::new();
        config.add_name_server(NameServerConfig::new(address, Protocol::Udp));
        TokioResolver::builder_with_config(config, TokioConnectionProvider::default())
    });
    let look_up = |family, name: &str| super::look_up(hosts.about(family), name.to_owned());
    assert_eq!(look_up(Family::V4, "both.example.").await, Ok(vec![THERE]));
    assert_eq!(look_up(Family::V6, "both.example.").await, Ok(vec![SIX]));
    code.store(3, Ordering::Relaxed);
    assert_eq!(look_up(Family::V4, "gone.example.").await, Ok(Vec::new()));
    code.store(2, Ordering::Relaxed);
    assert!(look_up(Family::V4, "failing.example.").await.is_err());
}

#[tokio::test]
async fn without_a_name_server_what_needs_none_is_found_and_the_rest_is_no_answer() {
    let hosts = Hosts::built(Hosts::without_servers);
    let look_up = |family, name: &str| super::look_up(hosts.about(family), name.to_owned());
    assert_eq!(look_up(Family::V4, "127.0.0.1").await, Ok(vec![HERE]));
    assert_eq!(look_up(Family::V4, "localhost").await, Ok(vec![HERE]));
    assert!(look_up(Family::V4, "nowhere.example.").await.is_err());
}
