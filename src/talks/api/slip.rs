//! For staff: the slip of a booking, a page for the little printer at the door.

use std::fmt::Write;

use actix_web::{HttpResponse, get, http::header::ContentType, web::Data, web::Path};
use entity::{Instant, id::BookingId};
use rust_i18n::t;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    app::App,
    auth::{Staff, duty::SeeTalkLine},
    clock::china,
    problem::{Language, Problem},
    talks::ops::slip::{self, Slip},
};

pub(in crate::talks) fn routes(config: &mut ServiceConfig) {
    config.service(get_booking_slip);
}

/// Nothing is fetched from elsewhere; the width is that of the paper, 58 or 80 mm.
const STYLE: &str = "@page{margin:0}body{margin:0;padding:3mm;max-width:72mm;font:12pt/1.4 sans-serif;color:#000;\
background:#fff}h1{font-size:13pt;margin:0;text-align:center}.number{font-size:48pt;line-height:1.1;font-weight:bold;\
text-align:center;margin:2mm 0}dl{margin:0}dt{float:left;clear:left;margin-right:2mm}dd{margin:0;text-align:right}\
p{margin:2mm 0 0}";

/// A page for a narrow printer: number, code, time, about how long it will take. No name and no matter on it.
#[utoipa::path(
    tag = "staff", params(("id" = BookingId, Path)),
    responses((status = 200, description = "A page to print", body = String, content_type = "text/html"))
)]
#[get("/staff/bookings/{id}/slip")]
pub async fn get_booking_slip(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<BookingId>,
    language: Language,
) -> Result<HttpResponse, Problem> {
    let slip = slip::read(&app, &staff, *id).await?;
    Ok(HttpResponse::Ok().content_type(ContentType::html()).body(page(&slip, language)))
}

fn page(slip: &Slip, language: Language) -> String {
    let tag = language.tag();
    let say = |key: &str| t!(format!("slip.{key}"), locale = tag).into_owned();
    let mut lines = vec![
        (say("date"), slip.day.on_date.to_string()),
        (say(if slip.walked_in { "came" } else { "time" }), time(slip.at)),
        (say("code"), slip.code.clone()),
        (say("place"), slip.day.place.clone()),
    ];
    let mut notes = Vec::new();
    if let Some((before, at)) = slip.turn {
        lines.push((say("about"), time(at)));
        notes.push(t!("slip.before", locale = tag, count = before).into_owned());
    }
    notes.push(say("please"));
    let mut page = format!(
        "<!doctype html><html lang=\"{tag}\"><head><meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}</style>\
         </head><body><h1>{title}</h1><div>{label}</div><div class=\"number\">{number}</div><dl>",
        title = escaped(&format!("{} {}", slip.village, say("talk_day"))),
        label = escaped(&say("number")),
        number = slip.number,
    );
    for (name, value) in lines {
        let _ = write!(page, "<dt>{}</dt><dd>{}</dd>", escaped(&name), escaped(&value));
    }
    page.push_str("</dl>");
    for note in notes {
        let _ = write!(page, "<p>{}</p>", escaped(&note));
    }
    page.push_str("</body></html>");
    page
}

fn time(at: Instant) -> String {
    at.with_timezone(&china()).format("%H:%M").to_string()
}

/// Text that stays text, whatever a place is called.
fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut safe, letter| {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
        safe
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        assert_eq!(escaped("<b>\"A&B'\"</b>"), "&lt;b&gt;&quot;A&amp;B&#39;&quot;&lt;/b&gt;");
        assert_eq!(escaped("石笋村"), "石笋村");
    }
}
