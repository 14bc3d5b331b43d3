//! What is known of containers, from an engine that answers well, badly and not at all.

pub(in crate::enrich) mod docker;

use std::time::Duration;

use serde_json::json;
use std::sync::Arc;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::*;
use docker::{Docker, Manner};

const LIMIT: Duration = Duration::from_secs(20);

fn id(number: u32) -> String {
    format!("{number:08x}").repeat(8)
}

fn short(id: &str, digits: usize) -> String {
    id.chars().take(digits).collect()
}

fn engine(docker: &Docker, times: Times) -> Arc<Engine> {
    Arc::new(Engine::with_times(&docker.socket(), &["*".into()], times).expect("good labels"))
}

/// Times in which a test can see things come again.
const SOON: Times = Times {
    round: Duration::from_millis(20),
    relist: Duration::ZERO,
    pause: (Duration::from_millis(5), Duration::from_millis(20)),
    between: Duration::ZERO,
    ..TIMES
};

/// Times in which nothing comes again by itself.
const NEVER: Times = Times {
    round: Duration::from_secs(3_600),
    relist: Duration::from_secs(3_600),
    between: Duration::ZERO,
    ..SOON
};

fn told(engine: &Engine, id: &str) -> Vec<String> {
    let (arena, mut told) = (Bump::new(), Vec::new());
    engine.find(id.as_bytes(), &arena, |name, value| told.push(format!("{name}={value}")));
    told
}

fn follow(engine: &Arc<Engine>) -> DropGuard {
    let stop = CancellationToken::new();
    tokio::spawn(Arc::clone(engine).follow(stop.clone()));
    stop.drop_guard()
}

/// Waits until `holds`; `what` is told where it does not.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(tokio::time::timeout(LIMIT, wait).await.is_ok(), "{what}");
}

#[tokio::test]
async fn what_is_listed_is_known_by_its_whole_id_and_by_a_short_one() {
    let docker = Docker::start();
    docker.create(&id(1), "web", json!({ "com.docker.compose.project": "shop", "tier": "front" }));
    docker.create(&id(2), "db", json!(null));
    let engine = engine(&docker, TIMES);
    assert_eq!(engine.warm().await.expect("an answer"), 2);
    let web = [
        "container.name=web",
        "container.image.name=shop/web",
        "container.image.tag=v2",
        "docker.compose.project=shop",
        "container.labels.com_docker_compose_project=shop",
        "container.labels.tier=front",
    ];
    for id in [id(1), short(&id(1), 12), short(&id(1), 20)] {
        assert_eq!(told(&engine, &id), web, "{id}");
    }
    assert_eq!(told(&engine, &id(2)).len(), 3);
    let other = format!("{}{}", short(&id(1), 12), "f".repeat(52));
    assert_eq!(told(&engine, &other), [""; 0], "of equal beginnings the whole id counts");
    assert_eq!(docker.asked(), [""; 0]);
}

#[tokio::test]
async fn a_container_that_begins_is_known_before_anything_asks_for_it() {
    let docker = Docker::start();
    let engine = engine(&docker, NEVER);
    let _follows = follow(&engine);
    until("the engine is followed", || docker.has_followers()).await;
    docker.send("\n\n");
    docker.create(&id(1), "web", json!({}));
    until("its beginning is seen", || !told_quietly(&engine, &id(1)).is_empty()).await;
    docker.create(&id(1), "shop", json!({}));
    until("another name is seen", || told_quietly(&engine, &id(1))[0] == "container.name=shop").await;
    docker.destroy(&id(1));
    docker.create(&id(2), "db", json!({}));
    until("what comes after an end is seen", || !told_quietly(&engine, &id(2)).is_empty()).await;
    assert_eq!(told(&engine, &id(1))[0], "container.name=shop", "its last lines may still come");
}

/// What is known, without having it asked for.
fn told_quietly(engine: &Engine, id: &str) -> Vec<String> {
    let known = engine.known.read().expect("no panic");
    if known.contains_key(&key(id.as_bytes()).expect("an id").0) { told(engine, id) } else { Vec::new() }
}

#[tokio::test]
async fn what_is_not_known_is_asked_for_once_a_round_while_events_go_on() {
    let docker = Docker::start();
    let engine = engine(&docker, NEVER);
    let _follows = follow(&engine);
    until("the engine is followed", || docker.has_followers()).await;
    for _ in 0..100 {
        assert_eq!(told(&engine, &id(7)), [""; 0]);
    }
    until("it is asked for", || !docker.asked().is_empty()).await;
    docker.create(&id(8), "web", json!({}));
    until("the next one is seen", || !told_quietly(&engine, &id(8)).is_empty()).await;
    assert_eq!(docker.asked(), [id(7), id(8)], "of an id that is none once, and of a beginning");
    engine.next_round();
    told(&engine, &id(7));
    until("it is asked for in the next round", || docker.asked().len() == 3).await;
}

#[tokio::test]
async fn an_id_that_is_none_is_never_asked_for() {
    let docker = Docker::start();
    let engine = engine(&docker, NEVER);
    let _follows = follow(&engine);
    until("the engine is followed", || docker.has_followers()).await;
    let long = "a".repeat(65);
    for none in [
        "",
        "abc",
        "web",
        "../../containers/json",
        "0123456789AB",
        "0123456789ab/../x",
        "+123456789ab",
        &long,
        "ä012345678901",
    ] {
        assert_eq!(told(&engine, none), [""; 0]);
    }
    engine.find(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", &Bump::new(), |_, _| {
        panic!("it is no id")
    });
    told(&engine, &id(7));
    until("what has the form of one is asked for", || docker.asked() == [id(7)]).await;
}

#[tokio::test]
async fn made_up_ids_fill_neither_memory_nor_the_queue() {
    let docker = Docker::start();
    let engine = engine(&docker, NEVER);
    for number in 0..50_000 {
        told(&engine, &id(number));
    }
    let mut asked = engine.asked.lock().expect("no panic").take().expect("nobody follows");
    let mut count = 0;
    while asked.try_recv().is_ok() {
        count += 1;
    }
    assert_eq!(count, ASKS);
}

#[tokio::test]
async fn an_engine_that_answers_badly_is_told_and_what_is_known_stays() {
    let docker = Docker::start();
    docker.create(&id(1), "web", json!({ "secret": "hunter2" }));
    let times = Times { answer: Duration::from_millis(500), ..NEVER };
    let engine = engine(&docker, times);
    engine.warm().await.expect("an answer");
    for (manner, why) in [
        (Manner::Silent, "has not answered within 500ms"),
        (Manner::Cut, "broke off"),
        (Manner::Garbage, "line 1, column 1"),
        (Manner::Odd, "cannot be read"),
        (Manner::Status(500), "status 500"),
        (Manner::Status(404), "status 404"),
        (Manner::Endless, "has more than"),
    ] {
        docker.answer(manner);
        let fault = engine.warm().await.expect_err("a fault").to_string();
        assert!(fault.contains(why) && !fault.contains("hunter2"), "{manner:?}: {fault}");
        assert_eq!(told(&engine, &id(1))[0], "container.name=web", "{manner:?}");
    }
    let nowhere = Engine::new(Path::new("/nonexistent/docker.sock"), &[]).expect("good labels");
    let fault = nowhere.warm().await.expect_err("a fault").to_string();
    assert!(fault.starts_with("cannot connect to `/nonexistent/docker.sock`: "), "{fault}");
}

#[tokio::test]
async fn an_engine_that_comes_back_is_followed_again_and_missed_nothing() {
    let docker = Docker::start();
    let engine = engine(&docker, SOON);
    let _follows = follow(&engine);
    until("the engine is followed", || docker.has_followers()).await;
    for (number, wrong) in [(1, None), (2, Some("nonsense\n")), (3, Some("{\"Action\":5}\n"))] {
        match wrong {
            Some(wrong) => docker.send(wrong),
            None => docker.hang_up(),
        }
        until("the engine is followed again", || docker.has_followers()).await;
        docker.create(&id(number), "web", json!({}));
        until("a new container is seen", || !told_quietly(&engine, &id(number)).is_empty()).await;
    }
    docker.answer(Manner::Garbage);
    docker.create(&id(4), "web", json!({}));
    docker.hang_up();
    docker.answer(Manner::Well);
    until("what was missed is in the list", || !told_quietly(&engine, &id(4)).is_empty()).await;
}

#[tokio::test]
async fn a_container_that_is_gone_is_forgotten_after_a_while() {
    let docker = Docker::start();
    docker.create(&id(1), "web", json!({}));
    docker.create(&id(2), "db", json!({}));
    let engine = engine(&docker, Times { keep: Duration::from_millis(50), ..SOON });
    let _follows = follow(&engine);
    until("both are known", || engine.known.read().expect("no panic").len() == 2).await;
    docker.destroy(&id(1));
    until("one is forgotten", || engine.known.read().expect("no panic").len() == 1).await;
    assert_eq!(told_quietly(&engine, &id(2))[0], "container.name=db");
}

#[test]
fn no_more_containers_are_known_than_there_is_room_for() {
    let labels = Labels::new(&[]).expect("good labels");
    let container = |number: u32| {
        let body = json!({ "Id": id(number), "Name": "/web" }).to_string();
        Container::new(&container::inspected(body.as_bytes()).expect("an answer"), &labels)
    };
    let mut known = HashMap::new();
    let most = u32::try_from(MOST).expect("it is small");
    (0..most + 5).for_each(|number| insert(&mut known, container(number)));
    assert_eq!(known.len(), MOST);
    known.get_mut(&key(id(9).as_bytes()).expect("an id").0).expect("it is known").leave(Instant::now());
    insert(&mut known, container(most + 7));
    assert!(
        known.contains_key(&key(id(most + 7).as_bytes()).expect("an id").0),
        "one that was gone made room"
    );
    assert_eq!(known.len(), MOST);
}
