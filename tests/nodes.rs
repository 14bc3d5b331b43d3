//! How the output deals with nodes: which one, how many requests at once, encodings, credentials, templates, names.

use forebay::output::elasticsearch::Elasticsearch;
use forebay::output::{Auth, Compression, ElasticsearchOptions};
use forebay::units::Secret;
use libtest_mimic::Trial;
use tokio_util::sync::CancellationToken;

use crate::common::bench::{Bench, quick, whole};
use crate::common::feed::{Feed, assert_holds};
use crate::common::story;
use crate::common::target::Target;

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("zstd that is refused becomes gzip", zstd_refused),
        story("gzip is read by the target", gzip),
        story("an index template is installed, as much as the target knows of it", template),
        story("an index template is installed for a pipeline's own index", own_template),
        story("credentials are sent, and shown nowhere", credentials),
        story("nodes that the cluster names are used where sniffing is on", sniffing),
        story("the server name is what TLS asks for", server_name),
        story("a probe says what is wrong and what to do", probe),
        story("a node that is down rests, and the other takes everything", one_node_down),
        story("a target that comes back gets everything", target_comes_back),
        story("concurrency grows to the most, and no further", concurrency),
    ]
}

async fn zstd_refused() {
    for status in [415, 400] {
        let target = Target::start().await;
        target.refuse_encoding("zstd", status);
        let options =
            ElasticsearchOptions { compression: Compression::Zstd, max_concurrency: 1, ..quick(&[&target]) };
        let bench = Bench::new(options);
        bench.run(&Feed::numbered(3, 50, 100)).await;
        assert_holds(&target, 0..150);
        let encodings: Vec<_> = target.requests().into_iter().filter_map(|seen| seen.encoding).collect();
        assert_eq!(encodings, ["zstd", "gzip", "gzip", "gzip"]);
        assert_eq!(bench.books(), (150, 0, 0));
    }
}

async fn gzip() {
    let target = Target::start().await;
    let bench = Bench::new(ElasticsearchOptions { compression: Compression::Gzip, ..quick(&[&target]) });
    bench.run(&Feed::numbered(1, 50, 1000)).await;
    assert_holds(&target, 0..50);
    let bytes = target.requests()[0].bytes;
    assert!(bytes < 5000, "{bytes} bytes for 50 KB of documents");
}

async fn template() {
    for (unknown, text) in [
        (&[][..], "ignore_dynamic_beyond_limit"),
        (&["ignore_dynamic_beyond_limit"][..], "match_only_text"),
        (&["match_only_text"][..], "ignore_dynamic_beyond_limit"),
        (&["ignore_dynamic_beyond_limit", "match_only_text", "data_stream"][..], "date_nanos"),
    ] {
        let target = Target::start().await;
        target.does_not_know(unknown);
        let bench = Bench::new(ElasticsearchOptions { install_template: true, ..quick(&[&target]) });
        bench.run(&Feed::numbered(1, 1, 10)).await;
        let templates = target.templates();
        let template = &templates["forebay-logs-default"];
        assert!(template.to_string().contains(text), "{template}");
        assert_eq!(template["index_patterns"], serde_json::json!(["logs-*-default"]));
        bench.run(&Feed::numbered(1, 1, 10)).await;
        let puts = target.requests().iter().filter(|seen| seen.line.starts_with("PUT")).count();
        assert_eq!(puts, unknown.len() + 1, "a template that matches is not installed again");
    }
}

async fn own_template() {
    let target = Target::start().await;
    let options = ElasticsearchOptions { install_template: true, ..quick(&[&target]) };
    let indices = ["app-{tag}-%Y.%m.%d", "logs-web-default"].map(str::to_owned).to_vec();
    Bench::with_indices(options, indices).run(&Feed::numbered(1, 1, 10)).await;
    let templates = target.templates();
    assert_eq!(templates["forebay-app"]["index_patterns"], serde_json::json!(["app-*-*.*.*"]));
    assert_eq!(templates["forebay-logs-default"]["index_patterns"], serde_json::json!(["logs-*-default"]));
    assert_eq!(templates.len(), 2, "one whose names another covers needs none");
}

async fn credentials() {
    let target = Target::start().await;
    target.fail_next(whole(401, "security_exception"), 1);
    let auth = Auth::Basic { username: "ada".into(), password: Secret::new("hunter2") };
    let mut hosts = quick(&[&target]).hosts;
    hosts[0].set_username("eve").expect("a user");
    hosts[0].set_password(Some("hunter3")).expect("a password");
    let options = ElasticsearchOptions { auth, hosts, ..quick(&[&target]) };
    let bench = Bench::new(options);
    bench.run(&Feed::numbered(1, 1, 10)).await;
    let sent: Vec<_> = target.requests().into_iter().filter_map(|seen| seen.authorization).collect();
    assert_eq!(sent, ["Basic YWRhOmh1bnRlcjI="; 2]);
    let told = format!("{:?}", bench.output.health());
    assert!(!told.contains("hunter") && !told.contains("eve"), "{told}");
}

async fn sniffing() {
    let (seed, found) = (Target::start().await, Target::start().await);
    seed.tells_nodes(serde_json::json!({"nodes": {
        "a": {"roles": ["data"], "http": {"publish_address": found.address().to_string()}},
        "b": {"http": {"publish_address": "nonsense"}},
    }}));
    let bench = Bench::new(ElasticsearchOptions { sniff: true, ..quick(&[&seed]) });
    let stop = CancellationToken::new();
    let feed = Feed::numbered(8, 10, 10);
    let next = async || {
        bench.until_health(|health| health.nodes.len() == 2).await;
        feed.next().await
    };
    bench.output.run(next, stop).await;
    assert_eq!((found.bulk_requests(), seed.bulk_requests()), (4, 4));
}

async fn server_name() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("https://{}", listener.local_addr().expect("an address"));
    let options = ElasticsearchOptions {
        hosts: vec![url.parse().expect("a URL")],
        server_name: Some("es.internal".into()),
        ..Default::default()
    };
    let server = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut hello = vec![0; 2048];
        let read = tokio::io::AsyncReadExt::read(&mut stream, &mut hello).await.expect("a hello");
        hello.truncate(read);
        hello
    };
    let (findings, hello) = tokio::join!(Elasticsearch::probe(&options, &[]), server);
    let findings = findings.expect("sound options");
    assert!(hello.windows(11).any(|window| window == b"es.internal"), "the name is in the ClientHello");
    assert!(findings.iter().all(|finding| !finding.ok), "{findings:?}");
}

async fn probe() {
    let target = Target::start().await;
    let ask = async |target: &Target| {
        Elasticsearch::probe(&quick(&[target]), &["app-%Y".to_owned()]).await.expect("sound options")
    };
    let findings = ask(&target).await;
    assert!(findings.len() == 3 && findings.iter().all(|finding| finding.ok), "{findings:?}");
    target.fail_next(whole(401, "security_exception"), 1);
    let findings = ask(&target).await;
    assert!(!findings[0].ok && findings[0].text.contains("credentials"), "{findings:?}");
    let mut gone = Target::start().await;
    gone.stop().await;
    let findings = ask(&gone).await;
    assert!(!findings[0].ok && findings[0].text.starts_with("nothing takes connections"), "{findings:?}");
    assert_eq!(target.documents().len(), 0);
}

async fn one_node_down() {
    let mut down = Target::start().await;
    let up = Target::start().await;
    down.stop().await;
    let bench = Bench::new(quick(&[&down, &up]));
    bench.run(&Feed::numbered(6, 10, 10)).await;
    assert_holds(&up, 0..60);
    let health = bench.output.health();
    assert!(health.ok, "{health:?}");
    let told: Vec<_> = health.nodes.iter().map(|node| (node.up, node.last_error.is_some())).collect();
    assert_eq!(told, [(false, true), (true, false)]);
    down.restart().await;
    bench.run(&Feed::numbered(40, 10, 10)).await;
    assert!(down.bulk_requests() > 0, "the node is used again");
    assert!(bench.output.health().nodes.iter().all(|node| node.up));
}

async fn target_comes_back() {
    let mut target = Target::start().await;
    target.stop().await;
    let bench = Bench::new(quick(&[&target]));
    let feed = Feed::numbered(8, 25, 10);
    let operator = async {
        bench.until_health(|health| !health.ok).await;
        assert!(
            bench.output.health().summary.contains("nothing takes connections"),
            "{:?}",
            bench.output.health()
        );
        target.restart().await;
    };
    tokio::join!(bench.run(&feed), operator);
    assert_holds(&target, 0..200);
    assert_eq!(bench.books(), (200, 0, 0));
}

async fn concurrency() {
    let target = Target::start().await;
    let bench = Bench::new(ElasticsearchOptions { max_concurrency: 3, ..quick(&[&target]) });
    bench.run(&Feed::numbered(10, 5, 10)).await;
    target.hold_answers(true);
    let operator = async {
        target.until(|target| target.most_under_way() >= 3).await;
        target.hold_answers(false);
    };
    let feed = Feed::numbered(30, 5, 10);
    tokio::join!(bench.run(&feed), operator);
    assert_holds(&target, 0..150);
    assert_eq!((target.most_under_way(), bench.metrics.bulk_concurrency.get()), (3, 3));
    target.fail_next(whole(429, "es_rejected_execution_exception"), 1);
    bench.run(&Feed::numbered(1, 5, 10)).await;
    assert!(bench.metrics.bulk_concurrency.get() < 3, "{}", bench.metrics.bulk_concurrency.get());
}
