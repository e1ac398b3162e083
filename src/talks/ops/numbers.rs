//! Numbers of talk days: of a place and all below it in a period, also village by village. Every one is a query.
//!
//! A private matter counts and shows nothing else. Averages of few ratings are not shown: they would be somebody's.
//! Next: [`crate::talks::period`] for what a period is, [`crate::talks::tally`] for medians and shares.

use std::collections::BTreeMap;

use entity::{
    booking,
    booking::{BookingChannel, BookingOutcome, BookingState, MissedObjection},
    case,
    case::CaseState,
    division,
    division::DivisionLevel,
    id::DivisionId,
    talk_day,
    talk_day::TalkDayState,
    talk_rating,
};
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select,
    sea_query::{Alias, Expr, ExprTrait, Func, SelectStatement},
};
use uuid::Uuid;

use crate::{
    app::App,
    auth::{Staff, duty::SeeTalkNumbers},
    calendar::Period,
    db::{Db, padded},
    divisions,
    http::{Cursor, PageQuery},
    problem::Problem,
    talks::tally::Tally,
};

/// Numbers of a place.
pub struct OfPlace {
    pub place: division::Model,
    pub tally: Tally,
}

/// Numbers of a place and all below it.
pub async fn total(
    app: &App,
    staff: &Staff<SeeTalkNumbers>,
    division: DivisionId,
    period: Period,
) -> Result<OfPlace, Problem> {
    let place = divisions::reach(app.db.read(), staff, division).await?;
    let places =
        division::Entity::find().select_only().column(division::Column::Id).filter(divisions::subtree(place.id));
    let counted = Counted { of: Of::Below(Box::new(places.into_query())), period };
    let tally = counted.count(&app.db).await?.into_values().next().unwrap_or_default();
    Ok(OfPlace { place, tally })
}

/// Numbers of each village of a place, by code; at most a page and one.
pub async fn by_village(
    app: &App,
    staff: &Staff<SeeTalkNumbers>,
    division: DivisionId,
    period: Period,
    page: &PageQuery,
) -> Result<Vec<OfPlace>, Problem> {
    let db = app.db.read();
    let place = divisions::reach(db, staff, division).await?;
    let mut query = division::Entity::find()
        .filter(divisions::subtree(place.id))
        .filter(division::COLUMN.level.eq(DivisionLevel::Village))
        .filter(division::COLUMN.merged_into.is_null());
    if let Some(after) = Cursor::read::<String>(page.cursor.as_deref())? {
        query = query.filter(division::COLUMN.code.gt(after));
    }
    let villages = query.order_by_asc(division::Column::Code).limit(page.size() + 1).all(db).await?;
    if villages.is_empty() {
        return Ok(vec![]);
    }
    let counted = Counted { of: Of::Each(villages.iter().map(|village| village.id).collect()), period };
    let mut tallies = counted.count(&app.db).await?;
    let with = |place: division::Model| OfPlace { tally: tallies.remove(&Some(place.id)).unwrap_or_default(), place };
    Ok(villages.into_iter().map(with).collect())
}

enum Of {
    /// All of them together.
    Below(Box<SelectStatement>),
    /// Each for itself.
    Each(Vec<DivisionId>),
}

/// What is counted over.
struct Counted {
    of: Of,
    period: Period,
}

type Tallies = BTreeMap<Option<DivisionId>, Tally>;

impl Counted {
    async fn count(&self, db: &Db) -> Result<Tallies, Problem> {
        let mut tallies = Tallies::new();
        self.days(db.read(), &mut tallies).await?;
        self.matters(db.read(), &mut tallies).await?;
        self.solved(db.read(), &mut tallies).await?;
        self.waiting(db, &mut tallies).await?;
        self.ratings(db.read(), &mut tallies).await?;
        Ok(tallies)
    }

    /// Narrows to the days of the places and the period, with the place as a column where each counts for itself.
    fn over<E: EntityTrait>(&self, query: Select<E>) -> Select<E> {
        let query = query.filter(talk_day::COLUMN.on_date.between(self.period.from, self.period.to));
        let place = (talk_day::Entity, talk_day::Column::DivisionId);
        match &self.of {
            Of::Below(places) => query
                .filter(talk_day::Column::DivisionId.in_subquery((**places).clone()))
                .column_as(Expr::value(Option::<Uuid>::None), "place"),
            Of::Each(places) => query
                .filter(talk_day::COLUMN.division_id.is_in(padded(places.iter().copied())))
                .column_as(Expr::col(place), "place")
                .group_by(Expr::col(place)),
        }
    }

    /// The same of bookings.
    fn bookings(&self) -> Select<booking::Entity> {
        let day =
            booking::Entity::belongs_to(talk_day::Entity).from(booking::Column::TalkDayId).to(talk_day::Column::Id);
        self.over(booking::Entity::find().select_only().join(JoinType::InnerJoin, day.into()))
    }

    async fn days(&self, db: &DatabaseConnection, tallies: &mut Tallies) -> Result<(), Problem> {
        #[derive(FromQueryResult)]
        struct Row {
            place: Option<DivisionId>,
            planned: i64,
            held: i64,
            cancelled: i64,
        }
        let heard = booking::Entity::find()
            .select_only()
            .column(booking::Column::TalkDayId)
            .filter(booking::COLUMN.state.eq(BookingState::Concluded));
        let held = Condition::all()
            .add(talk_day::COLUMN.state.eq(TalkDayState::Planned))
            .add(talk_day::Column::Id.in_subquery(heard.into_query()));
        let cancelled = Condition::all().add(talk_day::COLUMN.state.eq(TalkDayState::Cancelled));
        let query = self
            .over(talk_day::Entity::find().select_only())
            .column_as(talk_day::Column::Id.count(), "planned")
            .column_as(how_many(held), "held")
            .column_as(how_many(cancelled), "cancelled");
        for row in query.into_model::<Row>().all(db).await? {
            let days = &mut tallies.entry(row.place).or_default().days;
            (days.planned, days.held, days.cancelled) = (row.planned, row.held, row.cancelled);
        }
        Ok(())
    }

    async fn matters(&self, db: &DatabaseConnection, tallies: &mut Tallies) -> Result<(), Problem> {
        #[derive(FromQueryResult)]
        struct Row {
            place: Option<DivisionId>,
            people: i64,
            matters: i64,
            answered: i64,
            cases: i64,
            council: i64,
            missed: i64,
            came: i64,
        }
        let heard = || Condition::all().add(booking::COLUMN.state.eq(BookingState::Concluded));
        let became = |outcome: BookingOutcome| how_many(heard().add(booking::COLUMN.outcome.eq(outcome)));
        let booked = || booking::COLUMN.channel.ne(BookingChannel::WalkIn);
        // As `rules::counts_as_missed` has it.
        let counts = booking::COLUMN.objection.is_null().or(booking::COLUMN.objection.eq(MissedObjection::Refused));
        let never_came = booking::COLUMN.arrived_at.is_null();
        let missed = Condition::all().add(booking::COLUMN.state.eq(BookingState::Missed));
        let missed = missed.add(counts).add(never_came).add(booked());
        let person: Expr = Expr::case(heard(), Expr::col((booking::Entity, booking::Column::PersonId))).into();
        let query = self
            .bookings()
            .column_as(Expr::from(Func::count_distinct(person)), "people")
            .column_as(how_many(heard()), "matters")
            .column_as(became(BookingOutcome::Answered), "answered")
            .column_as(became(BookingOutcome::Case), "cases")
            .column_as(became(BookingOutcome::Council), "council")
            .column_as(how_many(missed), "missed")
            .column_as(how_many(heard().add(booked())), "came");
        for row in query.into_model::<Row>().all(db).await? {
            let tally = tallies.entry(row.place).or_default();
            (tally.people, tally.matters) = (row.people, row.matters);
            (tally.answered, tally.cases, tally.council) = (row.answered, row.cases, row.council);
            (tally.missed, tally.expected) = (row.missed, row.missed + row.came);
        }
        Ok(())
    }

    /// Cases of talk days that their villagers confirmed as done. Confidential ones are in no count.
    async fn solved(&self, db: &DatabaseConnection, tallies: &mut Tallies) -> Result<(), Problem> {
        #[derive(FromQueryResult)]
        struct Row {
            place: Option<DivisionId>,
            confirmed: i64,
        }
        let case = booking::Entity::belongs_to(case::Entity).from(booking::Column::CaseId).to(case::Column::Id);
        let query = self
            .bookings()
            .join(JoinType::InnerJoin, case.into())
            .filter(booking::COLUMN.state.eq(BookingState::Concluded))
            .filter(case::COLUMN.state.is_in([CaseState::Completed, CaseState::Archived]))
            .filter(case::COLUMN.confirmed.eq(true))
            .filter(case::COLUMN.confidential.eq(false))
            .column_as(booking::Column::Id.count(), "confirmed");
        for row in query.into_model::<Row>().all(db).await? {
            tallies.entry(row.place).or_default().confirmed = row.confirmed;
        }
        Ok(())
    }

    /// Whole minutes from arrival to being called, as a histogram: there are fewer minutes in a day than people.
    async fn waiting(&self, db: &Db, tallies: &mut Tallies) -> Result<(), Problem> {
        #[derive(FromQueryResult)]
        struct Row {
            place: Option<DivisionId>,
            minutes: i64,
            people: i64,
        }
        let minutes = Alias::new("minutes");
        let query = self
            .bookings()
            .filter(booking::COLUMN.arrived_at.is_not_null())
            .filter(booking::COLUMN.called_at.is_not_null())
            .column_as(db.minutes_between("booking.arrived_at", "booking.called_at"), "minutes")
            .column_as(booking::Column::Id.count(), "people")
            .group_by(Expr::col(minutes));
        for row in query.into_model::<Row>().all(db.read()).await? {
            *tallies.entry(row.place).or_default().waited.entry(Ord::max(row.minutes, 0)).or_default() += row.people;
        }
        Ok(())
    }

    async fn ratings(&self, db: &DatabaseConnection, tallies: &mut Tallies) -> Result<(), Problem> {
        #[derive(FromQueryResult)]
        struct Row {
            place: Option<DivisionId>,
            stars: i64,
            people: i64,
        }
        let day = talk_rating::Entity::belongs_to(talk_day::Entity)
            .from(talk_rating::Column::TalkDayId)
            .to(talk_day::Column::Id);
        let stars = Func::sum(Expr::col((talk_rating::Entity, talk_rating::Column::Stars)));
        let stars: Expr = Func::coalesce([stars.into(), Expr::value(0_i64)]).into();
        let query = self
            .over(talk_rating::Entity::find().select_only().join(JoinType::InnerJoin, day.into()))
            .column_as(stars, "stars")
            .column_as(talk_rating::Column::Id.count(), "people");
        for row in query.into_model::<Row>().all(db).await? {
            let tally = tallies.entry(row.place).or_default();
            (tally.stars, tally.ratings) = (row.stars, row.people);
        }
        Ok(())
    }
}

/// How many rows a condition holds for.
fn how_many(condition: Condition) -> Expr {
    let counted: Expr = Expr::case(condition, Expr::value(1_i32)).into();
    Func::count(counted).into()
}
