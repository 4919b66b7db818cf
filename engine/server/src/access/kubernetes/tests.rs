use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const THERE: IpAddr = IpAddr::V4(Ipv4Addr::BROADCAST);

/// Says that a token is of the user whose name it is, unless it is to fail or hang. One that begins with `nobody` is nobody's.
#[derive(Debug, Default)]
struct Server {
    asked: AtomicUsize,
    under_way: AtomicUsize,
    most_at_once: AtomicUsize,
    mood: Mutex<Mood>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mood {
    #[default]
    Answers,
    /// Answers after a second.
    Slow,
    Fails,
    Hangs,
}

/// That a question is under way, until it is answered or given up.
struct Under<'a>(&'a AtomicUsize);

impl Drop for Under<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Server {
    async fn answer<T>(&self, said: T) -> Result<T, String> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let at_once = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_at_once.fetch_max(at_once, Ordering::Relaxed);
        let _under = Under(&self.under_way);
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Answers => Ok(said),
            Mood::Slow => {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(said)
            }
            Mood::Fails => Err("connection refused".to_owned()),
            Mood::Hangs => std::future::pending().await,
        }
    }

    fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

fn user(name: &str) -> KubernetesUser {
    KubernetesUser {
        name: name.to_owned(),
        uid: String::new(),
        groups: vec!["system:authenticated".to_owned()],
        extra: BTreeMap::new(),
    }
}

#[async_trait]
impl TokenReviewer for Server {
    async fn who(&self, token: &str) -> Result<Option<KubernetesUser>, String> {
        self.answer((!token.starts_with("nobody")).then(|| user(token))).await
    }

    async fn may(&self, user: &KubernetesUser, scope: Scope) -> Result<bool, String> {
        self.answer(user.name == "ann" || scope == Scope::Read).await
    }
}

fn asking() -> (Arc<Server>, KubernetesAuth) {
    let server = Arc::new(Server::default());
    (Arc::clone(&server), KubernetesAuth::new(server))
}

fn is(name: &str) -> Result<Told, Untold> {
    Ok(Told::Is(Arc::new(user(name))))
}

impl KubernetesAuth {
    fn remembered(&self, token: &str) -> Option<Told> {
        self.0.remembered(&digest(token))
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_said_counts_for_a_while_and_no_longer() {
    let (server, auth) = asking();
    assert_eq!(auth.remembered("ann"), None);
    for _ in 0..3 {
        assert_eq!(auth.whose("ann", HERE).await, is("ann"));
        assert_eq!(auth.whose("nobody", HERE).await, Ok(Told::Nobody));
    }
    assert_eq!(server.asked(), 2);
    tokio::time::advance(NO).await;
    assert_eq!(auth.remembered("nobody"), None);
    assert_eq!(auth.remembered("ann").map(Ok), Some(is("ann")));
    tokio::time::advance(YES).await;
    assert_eq!(auth.remembered("ann"), None);
    assert!(auth.was_good("ann") && !auth.was_good("nobody"));
    tokio::time::advance(LATELY).await;
    assert!(!auth.was_good("ann"));
}

#[tokio::test(start_paused = true)]
async fn each_right_is_asked_for_by_itself_and_remembered() {
    let (server, auth) = asking();
    let bob = Arc::new(user("bob"));
    for _ in 0..3 {
        assert_eq!(auth.may(&bob, Scope::Read).await, Ok(true));
        assert_eq!(auth.may(&bob, Scope::Admin).await, Ok(false));
    }
    assert_eq!(server.asked(), 2);
    tokio::time::advance(NO).await;
    assert_eq!(auth.may(&bob, Scope::Admin).await, Ok(false));
    assert_eq!(server.asked(), 3, "a right that was just given is seen soon");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_says_neither_yes_nor_no() {
    let (server, auth) = asking();
    let ann = Arc::new(user("ann"));
    for mood in [Mood::Fails, Mood::Hangs] {
        server.is(mood);
        let told = auth.whose("ann", HERE).await.unwrap_err();
        assert!(
            matches!(&told, Untold::Failed(why) if why.contains("is not known")),
            "{told:?}"
        );
        assert!(auth.may(&ann, Scope::Read).await.is_err());
        assert_eq!(auth.remembered("ann"), None, "nothing was said");
    }
    server.is(Mood::Answers);
    assert_eq!(auth.whose("ann", HERE).await, is("ann"));
}

#[tokio::test(start_paused = true)]
async fn what_is_remembered_has_an_end() {
    let (_, auth) = asking();
    for number in 0..ANSWERS + 100 {
        // Those that are good cost nothing, however many come from one address.
        auth.whose(&number.to_string(), HERE).await.unwrap();
    }
    assert_eq!(locked(&auth.0.owners).len(), ANSWERS);
    assert_eq!(auth.whose(&"x".repeat(LONGEST + 1), HERE).await, Ok(Told::Nobody));
}

/// So many clients that show one wrong token after another for a while, as fast as they are answered.
async fn guess(auth: &KubernetesAuth, clients: usize, lasts: Duration) {
    let until = Instant::now() + lasts;
    let guesses = (0..clients).map(|client| async move {
        let mut number = 0;
        while Instant::now() < until {
            number += 1;
            if let Err(Untold::TooOften(_)) = auth.whose(&format!("nobody {client} {number}"), HERE).await {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    });
    futures::future::join_all(guesses).await;
}

#[tokio::test(start_paused = true)]
async fn no_crowd_and_no_slowness_gets_more_questions_put_than_the_rule_allows() {
    for mood in [Mood::Answers, Mood::Slow, Mood::Fails, Mood::Hangs] {
        let (server, auth) = asking();
        server.is(mood);
        let lasts = Duration::from_secs(20);
        guess(&auth, 200, lasts).await;
        // What waits when they stop has its turn yet.
        let allowed = 30 + (lasts + PATIENCE).as_secs() / 2;
        let asked = server.asked() as u64;
        assert!(asked <= allowed && asked > 10, "{mood:?}: {asked} of {allowed}");
        assert!(
            server.most_at_once.load(Ordering::Relaxed) <= UNKNOWN.of_one,
            "{mood:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn whose_token_was_good_is_looked_at_again_whatever_others_show_from_there() {
    for mood in [Mood::Answers, Mood::Slow] {
        let (server, auth) = asking();
        assert_eq!(auth.whose("ann", HERE).await, is("ann"));
        server.is(mood);
        let lasts = YES * 3;
        let honest = async {
            let began = Instant::now();
            while began.elapsed() < lasts {
                assert_eq!(auth.whose("ann", HERE).await, is("ann"), "after {:?}", began.elapsed());
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::join!(guess(&auth, 100, lasts), honest);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_taken_back_has_no_count_of_its_own_any_more() {
    let (server, auth) = asking();
    assert_eq!(auth.whose("ann", HERE).await, is("ann"));
    keep(
        &auth.0.owners,
        digest("nobody"),
        (Arc::new(user("bob")), Instant::now()),
        LATELY,
    );
    assert_eq!(auth.whose("nobody", HERE).await, Ok(Told::Nobody));
    assert!(!auth.was_good("nobody") && auth.was_good("ann"));
    assert_eq!(server.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_new_token_waits_its_turn_among_wrong_ones_and_another_address_waits_for_none() {
    let (server, auth) = asking();
    server.is(Mood::Slow);
    let honest = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let began = Instant::now();
        assert_eq!(auth.whose("bob", THERE).await, is("bob"));
        assert!(began.elapsed() <= Duration::from_secs(2), "{:?}", began.elapsed());
        // All that may be shown at once is spent by now.
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert_eq!(auth.whose("ann", HERE).await, is("ann"));
    };
    tokio::join!(guess(&auth, 1, Duration::from_secs(60)), honest);
}

#[tokio::test(start_paused = true)]
async fn equal_questions_are_one_and_live_as_long_as_anybody_waits() {
    let (server, auth) = asking();
    server.is(Mood::Slow);
    let first = tokio::time::timeout(Duration::from_millis(500), auth.whose("ann", HERE));
    let others = (0..100).map(|_| auth.whose("ann", THERE));
    let (first, others) = tokio::join!(first, futures::future::join_all(others));
    assert!(first.is_err(), "it is gone before the answer");
    assert!(others.into_iter().all(|told| told == is("ann")));
    let ann = Arc::new(user("ann"));
    let rights = futures::future::join_all((0..100).map(|_| auth.may(&ann, Scope::Admin))).await;
    assert!(rights.into_iter().all(|may| may == Ok(true)));
    assert_eq!(server.asked(), 2);
    // Nobody waits any more: the question is given up, and another can be put.
    let none = tokio::time::timeout(Duration::from_millis(500), auth.whose("bob", HERE));
    assert!(none.await.is_err());
    assert_eq!(server.under_way.load(Ordering::Relaxed), 0);
    assert_eq!(auth.whose("bob", HERE).await, is("bob"));
}
