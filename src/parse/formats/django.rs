//! Django's development server: `[DD/Mon/YYYY HH:MM:SS] "REQUEST" STATUS BYTES`, or a message in place of the request.
//!
//! A target is printed as it came, quotes and all, so that the last quote ends the request.
//! <https://docs.djangoproject.com/en/stable/ref/logging/#django-server>

use crate::parse::known;
use crate::parse::sink::Sink;
use crate::parse::time::forms;

pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, said) = forms::slashes(line.strip_prefix('[')?, b' ').ok()?;
    let message = rest.strip_prefix("] ")?;
    sink.said(said)?;
    let request = message.strip_prefix('"').and_then(|rest| rest.rsplit_once("\" "));
    match request.and_then(|(request, numbers)| Some((request, numbers.split_once(' ')?))) {
        Some((request, (status, bytes))) => {
            sink.number(known::STATUS, status);
            sink.number(known::BYTES, bytes);
            requested(request, sink);
            sink.message(request);
        }
        None => sink.message(message),
    }
    Some(())
}

/// `METHOD URL HTTP/VERSION`.
fn requested<'a>(request: &'a str, sink: &mut Sink<'_, 'a>) {
    let Some((method, rest)) = request.split_once(' ') else { return };
    let Some((url, version)) = rest.rsplit_once(" HTTP/") else { return };
    sink.text(known::METHOD, method);
    sink.text(known::URL, url);
    sink.text(known::PROTOCOL, version);
}
