//! What is told from the words of each target, and what becomes of documents.

use proptest::prelude::*;

use super::*;

const ACTION: &[u8] = br#"{"create":{"_index":"logs-a-default","_id":"7"}}"#;

fn refusal(error: &str) -> Refusal {
    let (kind, error) = ("document_parsing_exception".into(), error.into());
    Refusal { reason: "mapping", kind, status: 400, error }
}

fn healed(document: &str, error: &str) -> Option<String> {
    let healed = Healer::new(true, 10).heal(ACTION, document.as_bytes(), None, refusal(error)).ok()?;
    let text = String::from_utf8(healed.lines).expect("text");
    let (action, document) = text.split_once('\n').expect("two lines");
    assert_eq!(action.as_bytes(), ACTION, "the id stays");
    document.strip_suffix('\n').map(str::to_owned)
}

/// As Elasticsearch 7.17.28, 8.11.0 and 8.19.0 and OpenSearch 2.19.0 said them.
#[test]
fn the_field_is_told_from_what_each_target_says() {
    for (error, path) in [
        ("object mapping for [obj] tried to parse field [obj] as object, but found a concrete value", "obj"),
        (
            "[1:26] object mapping for [deep.inner.o] tried to parse field [o] as object, but found a concrete value",
            "deep.inner.o",
        ),
        (
            "failed to parse field [num] of type [long] in document with id 'long_text'. Preview of field's value: 'hello': For input string: \"hello\"",
            "num",
        ),
        (
            "[1:15] failed to parse field [kw] of type [keyword] in document with id 'x'. Preview of field's value: '{a=1}': Expected text at 1:8 but found START_OBJECT",
            "kw",
        ),
        (
            "failed to parse field [kw] of type [keyword] in document with id 'x'. Preview of field's value: 'mapper [y] cannot be changed from type [z]'",
            "kw",
        ),
        ("can't merge a non object mapping [new1] with an object mapping", "new1"),
        ("mapper [new2] cannot be changed from type [text] to [ObjectMapper]", "new2"),
        (
            "Could not dynamically add mapping for field [kw.sub]. Existing mapping for [kw] must be of type object but found [keyword].",
            "kw.sub",
        ),
        (
            "Document contains at least one immense term in field=\"kw\" (whose UTF8 encoding is longer than the max length 32766), all of which were skipped.",
            "kw",
        ),
        (
            "failed to parse: object field starting or ending with a [.] makes object resolution ambiguous: [.a]",
            ".a",
        ),
        ("[1:2] failed to parse: field name cannot contain only whitespace: ['a..b']", "a..b"),
    ] {
        assert_eq!(ailment(error), Some(Ailment::Field(path)), "{error}");
    }
    for error in [
        "failed to parse: Limit of total fields [5] has been exceeded while adding new fields [4]",
        "[1:35] failed to parse: Limit of total fields [5] has been exceeded while adding new fields [4]",
        "Limit of total fields [5] has been exceeded",
        "Limit of mapping depth [20] has been exceeded due to object field [d.d.d]",
        "failed to parse: The depth of the field has exceeded the allowed limit of [20]. This limit can be set",
    ] {
        assert_eq!(ailment(error), Some(Ailment::Excess), "{error}");
    }
    for error in ["", "only write ops with an op_type of create are allowed in data streams", "mapper [x"] {
        assert_eq!(ailment(error), None, "{error}");
    }
}

#[test]
fn the_field_is_text_under_a_name_of_its_own() {
    let error = |path: &str| format!("[1:9] failed to parse field [{path}] of type [long] in document");
    for (document, path, after) in [
        (r#"{"n":{"a": 1},"b":1.50}"#, "n", r#"{"b":1.50,"n_as_text":"{\"a\": 1}","forebay.healed":"n"}"#),
        (
            r#"{"d":{"n":"x\ny","m":1}}"#,
            "d.n",
            r#"{"d":{"m":1},"d_n_as_text":"x\ny","forebay.healed":"d.n"}"#,
        ),
        (r#"{"kw.a":1,"kw.b":"x"}"#, "kw", r#"{"kw_as_text":"{\"a\":1,\"b\":\"x\"}","forebay.healed":"kw"}"#),
    ] {
        assert_eq!(healed(document, &error(path)).as_deref(), Some(after), "{document}");
    }
    for (document, path) in [
        (r#"{"n":1,"n_as_text":"x"}"#, "n"),
        (r#"{"@timestamp":"x"}"#, "@timestamp"),
        (r#"{"event.sequence":1}"#, "event.sequence"),
        (r#"{"a":1}"#, "n"),
        ("no JSON", "n"),
    ] {
        assert_eq!(healed(document, &error(path)), None, "{document}");
    }
}

#[test]
fn what_is_too_much_becomes_one_text() {
    let document = r#"{"@timestamp":"t","event.sequence":1,"message":"m","a":{"b": 2},"tag":"x","c":3}"#;
    let after = r#"{"@timestamp":"t","event.sequence":1,"message":"m","tag":"x","forebay.overflow":"{\"a\":{\"b\": 2},\"c\":3}"}"#;
    assert_eq!(healed(document, "Limit of total fields [5] has been exceeded").as_deref(), Some(after));
    assert_eq!(healed(r#"{"message":"m"}"#, "Limit of total fields [5]"), None);
}

#[test]
fn an_index_gets_no_more_new_names_than_it_may() {
    let healer = Healer::new(true, 2);
    let heal = |index: &str, field: &str| {
        let action = format!(r#"{{"create":{{"_index":"{index}","_id":"7"}}}}"#);
        let error = refusal(&format!("failed to parse field [{field}] of type [long]"));
        healer.heal(action.as_bytes(), format!(r#"{{"{field}":"x"}}"#).as_bytes(), None, error).is_ok()
    };
    assert!(heal("a", "x") && heal("a", "y") && heal("a", "x"));
    assert!(!heal("a", "z"));
    assert!(heal("b", "z"));
    assert!(
        Healer::new(false, 2)
            .heal(ACTION, br#"{"n":1}"#, None, refusal("mapper [n] cannot be changed from type"))
            .is_err()
    );
}

/// What becomes of a document that is refused in these words, one after the other.
fn tried(document: &str, errors: &[&str]) -> Option<Healed> {
    let healer = Healer::new(true, 100);
    let mut healed = None;
    for error in errors {
        healed = Some(healer.heal(ACTION, document.as_bytes(), healed.as_ref(), refusal(error)).ok()?);
    }
    healed
}

#[test]
fn each_field_that_is_refused_has_a_try_and_the_letter_says_what_was_wrong_first() {
    let (a, b) = ("failed to parse field [a] of type [long]", "failed to parse field [b.c] of type [long]");
    let healed = tried(r#"{"a":"x","b":{"c":"y"}}"#, &[a, b]).expect("a third try");
    let text = r#"{"b":{},"a_as_text":"x","b_c_as_text":"y","forebay.healed":["a","b.c"]}"#;
    assert_eq!(healed.document(), text.as_bytes());
    assert_eq!((healed.refusal.error.as_str(), healed.remedy), (a, Remedy::Field));
    assert!(tried(r#"{"a":"x"}"#, &[a, a]).is_none(), "the field is not there any more");
    let text = "failed to parse field [a_as_text] of type [long]";
    assert!(tried(r#"{"a":"x"}"#, &[a, text]).is_none(), "the text is not made a text of");
}

#[test]
fn a_document_has_no_more_tries_than_it_may() {
    let fields: Vec<String> = (0..=FIELDS).map(|at| format!("f{at}")).collect();
    let document =
        format!("{{{}}}", fields.iter().map(|f| format!(r#""{f}":"x""#)).collect::<Vec<_>>().join(","));
    let errors: Vec<String> =
        fields.iter().map(|f| format!("failed to parse field [{f}] of type [long]")).collect();
    let errors: Vec<&str> = errors.iter().map(String::as_str).collect();
    assert!(tried(&document, errors.get(..FIELDS).expect("enough")).is_some());
    assert!(tried(&document, &errors).is_none());
}

#[test]
fn what_is_too_much_after_a_field_was_healed_is_made_of_the_document_as_it_came() {
    let (a, excess) =
        ("failed to parse field [a] of type [long]", "Limit of total fields [5] has been exceeded");
    let document = r#"{"message":"m","a":"x"}"#;
    let healed = tried(document, &[a, excess]).expect("a third try");
    assert_eq!(healed.document(), br#"{"message":"m","forebay.overflow":"{\"a\":\"x\"}"}"#);
    assert!(tried(document, &[excess, excess]).is_none());
    let message = "failed to parse field [message] of type [long]";
    let healed = tried(document, &[excess, message]).expect("a third try");
    assert_eq!(healed.remedy, Remedy::Overflow);
    assert!(healed.document().ends_with(br#""message_as_text":"m","forebay.healed":"message"}"#));
}

proptest! {
    #[test]
    fn no_words_of_a_target_and_no_document_do_harm(document: Vec<u8>, before in 0..8usize, path: String, rest: String) {
        let (open, close) = FIELD[before];
        if let Some(cure) = cure(&document, None, &format!("{open}{path}{close}{rest}")) {
            prop_assert!(Document::read(cure.document.write().as_bytes()).is_some());
        }
    }
}
