//! What configurations that projects publish have in them, each in a small one of its own.

use super::tests::{imported, is_told};

#[test]
fn what_is_done_to_events_of_an_output_that_is_not_there_is_carried() {
    let filter = "[FILTER]\nName modify\nMatch *\nRemove password\n";
    let output = |name: &str, matched: &str| format!("[OUTPUT]\nName {name}\nMatch {matched}\nHost h\n");
    for outputs in [String::new(), output("loki", "*"), output("stdout", "*") + &output("es", "app.*")] {
        let imported = imported(&format!("{filter}{outputs}"));
        let steps = imported.text.matches("remove = [\"password\"]").count();
        assert_eq!(steps, 1 + outputs.matches("Name es").count(), "{}", imported.text);
    }
    let both = imported(&(output("stdout", "app.*") + &output("es", "*")));
    assert!(!both.text.contains("match = \"app.**\""), "{}", both.text);
    let none = imported("[OUTPUT]\nName es\nHost h\n[FILTER]\nName grep\nRegex a b\n");
    assert!(is_told(&none, "it has no `match`"), "{:?}", none.left);
}

#[test]
fn of_several_outputs_of_fluent_bit_none_takes_events_away_from_an_index() {
    let output = |name: &str, matched: &str| format!("[OUTPUT]\nName {name}\nMatch {matched}\nHost h\n");
    let all = output("es", "*");
    for other in ["null", "file", "loki"] {
        for text in [output(other, "app.*") + &all, all.clone() + &output(other, "app.*")] {
            let imported = imported(&text);
            assert!(!imported.text.contains("match = \"app.**\""), "{}", imported.text);
        }
        let rest = imported(&(output(other, "*") + &output("es", "app.*"))).text;
        let (app, all) = (rest.find("match = \"app.**\""), rest.find("match = \"**\""));
        assert!(app.is_some() && app < all, "{rest}");
        assert_eq!(rest.contains("drop = true"), other == "null", "{rest}");
    }
}

#[test]
fn what_is_put_into_records_or_gives_them_another_time_is_carried_or_told() {
    let output = "<match **>\n@type elasticsearch\nhost h\n";
    let inject = imported(&format!(
        "{output}<inject>\ntag_key fluentd_tag\ntime_key @timestamp\ntime_type string\nhostname_key node\n</inject>\n</match>\n"
    ));
    assert!(inject.text.contains("tag_field = \"fluentd_tag\""), "{}", inject.text);
    assert!(is_told(&inject, "hostname_key") && inject.left.len() == 1, "{:?}", inject.left);
    for filter in [
        "record_transformer\nrenew_time_key at",
        "record_modifier\nprepare_value @x = 1",
        "record_modifier\nchar_encoding sjis:utf-8",
        "parser\nkey_name log\nhash_value_field parsed\n<parse>\n@type json\n</parse>",
        "parser\nkey_name log\ninject_key_prefix p.\n<parse>\n@type json\n</parse>",
    ] {
        let filter = imported(&format!("<filter **>\n@type {filter}\n</filter>\n{output}</match>\n"));
        assert!(is_told(&filter, "Forebay has nothing like it"), "{:?}", filter.left);
    }
}

#[test]
fn a_parser_for_several_lines_has_its_time_and_its_other_keys_are_told() {
    let filter =
        "[FILTER]\nName multiline\nMatch *\nmultiline.parser m\n[OUTPUT]\nName es\nMatch *\nHost h\n";
    let rule = "[MULTILINE_PARSER]\nname m\ntype regex\nflush_timeout 1500\nrule \"start_state\" \"/^\\d/\" \"cont\"\n";
    let timed = imported(&format!("{filter}{rule}"));
    assert!(timed.text.contains("timeout = \"1500ms\"") && timed.left.is_empty(), "{}", timed.text);
    for key in ["negate true", "key_content MESSAGE"] {
        let told = imported(&format!("{filter}{rule}{key}\n"));
        assert_eq!(told.left.len(), 1, "{:?}", told.left);
    }
}

#[test]
fn files_that_are_followed_are_carried_and_how_their_lines_are_read_is_told() {
    let source = |keys: &str| imported(&format!("<source>\n@type tail\n{keys}\n</source>\n"));
    let pods = source(
        "path /var/log/containers/*.log\nexclude_path [\"/var/log/containers/fluent*\"]\npos_file /p\ntag kubernetes.*\n\
         read_from_head true\n<parse>\n@type json\ntime_key time\n</parse>",
    );
    for line in [
        "[[tail]]",
        "paths = [\"/var/log/containers/*.log\"]",
        "exclude = [\"/var/log/containers/fluent*\"]",
        "tag = \"kubernetes.{path}\"",
        "path_field = \"\"",
    ] {
        assert!(pods.text.contains(line), "{line} is not in {}", pods.text);
    }
    assert!(!pods.text.contains("start =") && pods.left.is_empty(), "{:?}", pods.left);
    let app = source("path /srv/a.log,/srv/b.log\ntag app\npath_key file\n<parse>\n@type json\n</parse>");
    assert!(app.text.contains("paths = [\"/srv/a.log\", \"/srv/b.log\"]"), "{}", app.text);
    assert!(
        app.text.contains("path_field = \"file\"") && app.text.contains("start = \"end\""),
        "{}",
        app.text
    );
    assert!(is_told(&app, "set `parse`") && app.left.len() == 1, "{:?}", app.left);
    let old = source(
        "path /srv/a.log\ntag a\nformat multiline\nformat_firstline /^a/\nformat1 /^b/\ntime_format %s",
    );
    assert!(is_told(&old, "format: how its lines") && old.left.len() == 1, "{:?}", old.left);
    assert!(is_told(&source("path /srv/a.%Y.log\ntag a"), "is known where it runs"));
    assert!(is_told(&source("path srv/a.log\ntag a"), "Forebay would refuse it"));
    let input =
        "[INPUT]\nName tail\nPath /var/log/pods/**/*.log\nTag kube.*\nmultiline.parser docker, cri\nDB /db\n";
    let bit = imported(input);
    assert!(bit.text.contains("tag = \"kube.{path}\"") && bit.left.is_empty(), "{:?}", bit.left);
}

#[test]
fn a_label_that_nothing_leads_to_is_told() {
    let label = |name: &str| format!("<label {name}>\n<match **>\n@type null\n</match>\n</label>\n");
    let source = "<source>\n@type forward\n@label @A\n</source>\n";
    let imported = imported(&(source.to_owned() + &label("@A") + &label("@B") + &label("@ERROR")));
    assert!(is_told(&imported, "<label @B>: no source") && imported.left.len() == 1, "{:?}", imported.left);
}

#[test]
fn what_a_worker_has_is_carried_and_told() {
    let output = "<match a.**>\n@type elasticsearch\nhost h\n</match>\n";
    let worker = imported(&format!("<worker 0>\n<source>\n@type forward\n</source>\n{output}</worker>\n"));
    assert!(
        worker.text.contains("[[forward]]") && worker.text.contains("match = \"a.**\""),
        "{}",
        worker.text
    );
    assert!(is_told(&worker, "by the worker that took them"), "{:?}", worker.left);
}

#[test]
fn a_filter_that_no_match_follows_is_told() {
    let filter = "<filter a>\n@type record_transformer\nremove_keys x\n</filter>\n";
    let output = |pattern: &str| format!("<match {pattern}>\n@type elasticsearch\nhost h\n</match>\n");
    for (text, is_left) in
        [(filter.to_owned(), true), (output("a") + filter, true), (filter.to_owned() + &output("a"), false)]
    {
        let imported = imported(&text);
        assert_eq!(is_told(&imported, "no <match> behind it"), is_left, "{:?}", imported.left);
    }
}

#[test]
fn a_star_goes_over_dots_wherever_it_stands() {
    let matched = |text: &str| imported(&format!("[OUTPUT]\nName es\nMatch {text}\nHost h\n")).text;
    assert!(matched("*.log").contains("match = \"**.log\""));
    assert!(matched("kube.*_default_*").contains("match = \"kube.**.*_default_*.**\""));
    let stars = "<match kubernetes.**fluentd**.log>\n@type null\n</match>\n";
    assert!(imported(stars).text.contains("match = \"kubernetes.**.*fluentd*.**.log\""));
}

#[test]
fn a_variable_has_the_value_for_its_absence_and_no_truth_is_guessed() {
    let output = |keys: &str| {
        imported(&format!("<match **>\n@type elasticsearch\nhost h\nscheme https\n{keys}\n</match>\n"))
    };
    let absent = output(
        "logstash_format \"#{ENV['FORMAT'] || 'true'}\"\nlogstash_prefix \"#{ENV['PREFIX'] || 'k8s'}\"\nssl_verify \
         \"#{ENV['VERIFY'] || 'true'}\"\nport \"#{ENV.fetch('PORT', '9201')}\"\nreload_connections \"#{ENV['R'] || 'false'}\"",
    );
    assert!(absent.text.contains("index = \"k8s-%Y.%m.%d\""), "{}", absent.text);
    assert!(absent.text.contains("https://h:9201") && !absent.text.contains("verify ="), "{}", absent.text);
    assert!(
        is_told(&absent, "the variable VERIFY is not set") && absent.left.len() == 4,
        "{:?}",
        absent.left
    );
    let unknown = output("ssl_verify \"#{ENV['VERIFY']}\"");
    assert!(
        !unknown.text.contains("verify =") && is_told(&unknown, "is known where it runs"),
        "{:?}",
        unknown.left
    );
    let bit = imported("[OUTPUT]\nName es\nMatch *\nHost h\ntls On\ntls.verify ${VERIFY}\n");
    assert!(!bit.text.contains("verify =") && is_told(&bit, "is known where it runs"), "{}", bit.text);
    let secret = imported(
        "<source>\n@type forward\n<security>\nself_hostname a\nshared_key \"#{ENV['KEY'] || 'weak'}\"\n</security>\n</source>\n",
    );
    assert!(!secret.text.contains("weak"), "{}", secret.text);
}

#[test]
fn the_tag_of_fluent_bit_is_in_its_own_field_by_default() {
    let bit = imported("[OUTPUT]\nName es\nMatch *\nHost h\nInclude_Tag_Key On\n");
    assert!(bit.text.contains("tag_field = \"flb-key\""), "{}", bit.text);
}

#[test]
fn lines_of_another_name_are_told_and_not_joined() {
    let start = "multiline_start_regexp /^\\S/";
    let concat = imported(&format!(
        "<filter **>\n@type concat\nkey MESSAGE\n{start}\n</filter>\n<match **>\n@type stdout\n</match>\n"
    ));
    let keys = "Name multiline\nMatch *\nmultiline.key_content MESSAGE\nmultiline.parser java\n";
    let filter = imported(&format!("[FILTER]\n{keys}[OUTPUT]\nName es\nMatch *\nHost h\n"));
    for joined in [&concat, &filter] {
        assert!(is_told(joined, "let the sender name it so"), "{:?}", joined.left);
        assert!(joined.text.contains("multiline = \"none\""), "{}", joined.text);
    }
    let traces = imported("<match a>\n@type detect_exceptions\nmessage MESSAGE\n</match>\n");
    assert!(is_told(&traces, "let the sender name it so"), "{:?}", traces.left);
}

#[test]
fn two_stores_and_outputs_of_one_index_leave_nothing() {
    let store = "<store>\n@type elasticsearch\nhost h\nindex_name a\n</store>\n";
    let copy = imported(&format!("<match **>\n@type copy\n{store}{store}</match>\n"));
    assert_eq!(copy.left, Vec::<String>::new());
    let output = "[OUTPUT]\nName es\nMatch *\nHost h\nIndex a\n";
    assert_eq!(imported(&format!("{output}{output}")).left, Vec::<String>::new());
    let other = output.replace("Index a", "Index b");
    assert!(is_told(&imported(&format!("{output}{other}")), "an event goes to one index"));
}
