//! The page in a real browser: headless Chromium does what a reviewer does. Chromium is not to be had
//! from a package registry of Rust's or Python's, so that these are ignored where they are not asked
//! for; `.ci/run` installs it and asks. $CHROMIUM names another one.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use common::{copy, run, testdata};
use serde_json::{Value, json};
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

/// A page that is open in a browser of its own.
struct Browser {
    process: Child,
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    session: String,
    calls: u64,
    /// What the browser told without being asked: errors in scripts, requests, complaints.
    events: Vec<Value>,
    _profile: tempfile::TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Browser {
    fn open(page: &Path) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut process = Command::new(chromium())
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--remote-debugging-port=0", "--window-size=1280,900"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .env("TMPDIR", profile.path())
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = lines
            .find_map(|line| Some(line.ok()?.strip_prefix("DevTools listening on ")?.to_owned()))
            .expect("Chromium says where it listens");
        // It goes on talking; nobody else reads that.
        std::thread::spawn(move || lines.for_each(drop));
        let (socket, _) = tungstenite::connect(address).unwrap();
        let mut browser = Browser {
            process,
            socket,
            session: String::new(),
            calls: 0,
            events: Vec::new(),
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", &json!({"url": "about:blank"}));
        let attached =
            browser.call("Target.attachToTarget", &json!({"targetId": target["targetId"], "flatten": true}));
        attached["sessionId"].as_str().unwrap().clone_into(&mut browser.session);
        for domain in ["Page", "Runtime", "Network", "Log"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        browser.call("Page.navigate", &json!({"url": format!("file://{}", page.display())}));
        browser.wait_for("document.readyState === 'complete' && location.protocol === 'file:'");
        browser
    }

    /// Has the browser do something, and waits for its answer.
    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.calls += 1;
        let id = self.calls;
        let mut message = json!({"id": id, "method": method, "params": parameters});
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.socket.send(Message::text(message.to_string())).unwrap();
        loop {
            let Message::Text(text) = self.socket.read().unwrap() else { continue };
            let answer: Value = serde_json::from_str(&text).unwrap();
            if answer["id"] == json!(id) {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
            self.events.push(answer);
        }
    }

    /// What a piece of script comes to in the page.
    fn value(&mut self, script: &str) -> Value {
        let answer = self.call("Runtime.evaluate", &json!({"expression": script, "returnByValue": true}));
        assert!(answer.get("exceptionDetails").is_none(), "{script}: {answer}");
        answer["result"]["value"].clone()
    }

    fn number(&mut self, script: &str) -> u64 {
        let value = self.value(script);
        value.as_u64().unwrap_or_else(|| panic!("{script}: {value}"))
    }

    fn text(&mut self, script: &str) -> String {
        self.value(script).as_str().unwrap().to_owned()
    }

    fn wait_for(&mut self, script: &str) {
        let start = Instant::now();
        while self.value(script) != json!(true) {
            assert!(start.elapsed() < Duration::from_secs(20), "never: {script}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn press(&mut self, key: &str) {
        let text = if key.chars().count() == 1 { key } else { "" };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            self.call("Input.dispatchKeyEvent", &json!({"type": kind, "key": key, "text": text}));
        }
    }

    /// How many of the things that `selector` finds can be seen.
    fn visible(&mut self, selector: &str) -> u64 {
        self.number(&format!(
            "[...document.querySelectorAll({selector:?})].filter((part) => part.checkVisibility()).length"
        ))
    }

    /// Lets a person see the page as it is, whole.
    fn photograph(&mut self, name: &str) {
        let height = self.number("document.documentElement.scrollHeight");
        let picture = self.call(
            "Page.captureScreenshot",
            &json!({"captureBeyondViewport": true, "clip": {"x": 0, "y": 0, "width": 1280, "height": height.min(4000), "scale": 1}}),
        );
        let bytes =
            base64::engine::general_purpose::STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/page");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), bytes).unwrap();
    }
}

fn chromium() -> String {
    let named = std::env::var("CHROMIUM").ok();
    let known = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let works = |program: &String| Command::new(program).arg("--version").output().is_ok();
    let programs = named.into_iter().chain(known.map(str::to_owned));
    programs.into_iter().find(works).expect("Chromium is installed, or $CHROMIUM names one")
}

/// Names and texts that would be markup if they were let.
const HOSTILE_FOLDER: &str = "<img src=x onerror=pwned=1>";
const HOSTILE_COMMENT: &str =
    "# </pre></script><script>pwned = 1</script><img src=x onerror='pwned = 1'> &lt;&amp; \" ' `";

/// A checkout of which charts are to change, complete, refused and left alone, and its page.
fn page(folder: &Path) -> std::path::PathBuf {
    let checkout = folder.join("checkout");
    copy(&testdata("trees/openstack-helm/before"), &checkout);
    let broken = checkout.join(HOSTILE_FOLDER);
    copy(&checkout.join("nova"), &broken);
    let values = fs::read_to_string(broken.join("values.yaml")).unwrap();
    fs::write(broken.join("values.yaml"), format!("{HOSTILE_COMMENT}\n{values}")).unwrap();
    let nova = checkout.join("nova/values.yaml");
    let values = fs::read_to_string(&nova).unwrap();
    let marked = values.replace("  secret_db: true\n", &format!("  secret_db: true\n  {HOSTILE_COMMENT}\n"));
    assert_ne!(marked, values);
    fs::write(&nova, marked).unwrap();
    let refused = checkout.join("refused");
    fs::create_dir(&refused).unwrap();
    fs::write(refused.join("Chart.yaml"), "name: \"<i>refused</i>\"\n").unwrap();
    fs::write(refused.join("values.yaml"), "images: {}\n").unwrap();
    let page = folder.join("page.html");
    let plan = run(folder, &["plan", "-q", "checkout", "-o", "page.html"]);
    assert_eq!(plan.code, 2, "{}", plan.stderr);
    page
}

#[test]
#[ignore = "needs Chromium; .ci/run installs it and runs this"]
fn nothing_in_it_becomes_markup_and_nothing_is_loaded() {
    let work = tempfile::tempdir().unwrap();
    let page = page(work.path());
    let mut browser = Browser::open(&page);
    assert_eq!(browser.value("typeof pwned"), json!("undefined"));
    assert_eq!(browser.number("document.querySelectorAll('img, iframe, object, link').length"), 0);
    assert_eq!(browser.number("document.scripts.length"), 1);
    // All of it is there to be read, as text; a bad name is not quoted.
    assert_eq!(browser.value("document.body.innerHTML.includes('<i>refused')"), json!(false));
    for text in [HOSTILE_FOLDER, HOSTILE_COMMENT] {
        assert_eq!(
            browser.value(&format!("document.body.textContent.includes({text:?})")),
            json!(true),
            "{text}"
        );
    }
    let requests: Vec<&Value> =
        browser.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent").collect();
    assert_eq!(requests.len(), 1, "{requests:?}");
    let is_complaint =
        |event: &&Value| event["method"] == "Runtime.exceptionThrown" || event["method"] == "Log.entryAdded";
    let complaints: Vec<&Value> = browser.events.iter().filter(is_complaint).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
}

#[test]
#[ignore = "needs Chromium; .ci/run installs it and runs this"]
fn a_reviewer_chooses_charts_and_marks_edits_by_keyboard() {
    let work = tempfile::tempdir().unwrap();
    let page = page(work.path());
    let mut browser = Browser::open(&page);
    let shapes = browser.visible(".shape");
    let charts = browser.visible(".chart");
    assert!(shapes >= 8 && charts >= 10, "{shapes} shapes, {charts} charts");
    // What is out of the ordinary comes first, and is counted at the top.
    assert_eq!(browser.text("document.querySelector('main > section').id"), "exceptions");
    let counted = browser.text("document.querySelector('.counts').textContent");
    assert!(counted.contains("1 refused") && counted.contains(" warnings"), "{counted}");
    // Every state can be seen in the overview.
    for state in ["to-do", "done", "by-hand", "refused", "skipped"] {
        assert!(browser.visible(&format!(".chart .cell.{state}")) > 0, "{state}");
    }

    // By a part of the name.
    browser.press("/");
    for key in ["k", "u", "b", "e"] {
        browser.press(key);
    }
    assert_eq!(browser.text("document.getElementById('filter').value"), "kube");
    assert_eq!(browser.visible(".chart"), 1);
    assert_eq!(
        browser.text("document.getElementById('matches').textContent"),
        format!("1 of {charts} charts")
    );
    assert_eq!((browser.visible(".shape"), browser.visible(".file .diff")), (0, 3));
    browser.press("Escape");
    assert_eq!((browser.visible(".chart"), browser.visible(".shape")), (charts, shapes));
    // Several charts: the edits that they get.
    browser.press("/");
    for key in ["f", "a", "l", "c", "o", " ", "k", "u", "b", "e"] {
        browser.press(key);
    }
    let of_two = browser.visible(".shape");
    assert!(of_two > 0 && of_two < shapes, "{of_two} of {shapes}");
    browser.press("Escape");

    // By a click on a chart: its own diff, and nothing else. The address keeps the choice.
    browser.value("[...document.querySelectorAll('.chart')].find((chart) => chart.dataset.name === 'helm-toolkit').click()");
    assert_eq!((browser.visible(".shape"), browser.visible(".file .diff")), (0, 2));
    assert_eq!(browser.text("location.hash"), "#chart=helm-toolkit");
    assert_eq!(
        browser.text("document.getElementById('files-title').textContent"),
        "The diff of helm-toolkit"
    );
    browser.call("Page.reload", &json!({}));
    browser.wait_for("document.readyState === 'complete' && document.getElementById('progress').textContent.startsWith('0 of')");
    assert_eq!((browser.visible(".shape"), browser.visible(".file .diff")), (0, 2));
    let with_nothing_in_it = "[...document.querySelectorAll('main > section')].filter((section) => section.checkVisibility() \
        && [...section.children].slice(1).every((part) => !part.checkVisibility() || part.offsetHeight === 0)).length";
    assert_eq!(browser.number(with_nothing_in_it), 0);
    browser.press("Escape");

    // The first edit is read; it is so after a reload, and the others are not.
    browser.press("j");
    browser.press("r");
    let progress = format!("1 of {shapes} edits reviewed");
    assert_eq!(browser.text("document.getElementById('progress').textContent"), progress);
    browser.call("Page.reload", &json!({}));
    browser.wait_for("document.readyState === 'complete' && !!document.querySelector('.shape.seen')");
    assert_eq!(browser.text("document.getElementById('progress').textContent"), progress);
    assert_eq!(browser.visible(".shape.seen .body"), 0);
    assert_eq!(browser.visible(".shape .body"), shapes - 1);
    // And taken back.
    browser.press("j");
    browser.press("r");
    browser.call("Page.reload", &json!({}));
    browser.wait_for("document.readyState === 'complete' && document.getElementById('progress').textContent.startsWith('0 of')");
}

/// The lowest contrast of text against what is behind it (WCAG 2), over all that can be seen.
const LOWEST_CONTRAST: &str = "(() => {
  const parse = (color) => (color.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (part) => {
    for (let at = part; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  let lowest = [99, ''];
  for (const part of document.body.querySelectorAll('*')) {
    const hasText = [...part.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!hasText || part.tagName === 'SCRIPT' || !part.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(part).color)), light(behind(part))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < lowest[0]) lowest = [ratio, part.outerHTML.slice(0, 120)];
  }
  return lowest;
})()";

#[test]
#[ignore = "needs Chromium; .ci/run installs it and runs this"]
fn it_can_be_read_in_the_dark_by_day_and_on_a_telephone() {
    let work = tempfile::tempdir().unwrap();
    let page = page(work.path());
    let mut browser = Browser::open(&page);
    let mut papers = Vec::new();
    for scheme in ["light", "dark"] {
        let feature = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        browser.call("Emulation.setEmulatedMedia", &json!({"features": feature}));
        let lowest = browser.value(LOWEST_CONTRAST);
        assert!(lowest[0].as_f64().unwrap() >= 4.5, "{scheme}: {lowest}");
        papers.push(browser.text("getComputedStyle(document.body).backgroundColor"));
        browser.photograph(&format!("{scheme}.png"));
    }
    assert_ne!(papers[0], papers[1]);
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        &json!({"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": true}),
    );
    let wide = browser.number("document.documentElement.scrollWidth");
    assert!(wide <= 390, "{wide} pixels wide");
    // Every column can be seen, without moving it into view.
    let right = "Math.max(...[...document.querySelectorAll('.rules td, .cell')].map((cell) => Math.ceil(cell.getBoundingClientRect().right)))";
    assert!(browser.number(right) <= 390);
    // On a wide screen old and new are side by side, in lines that match.
    assert_eq!(browser.visible(".split .old"), 0);
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        &json!({"width": 1700, "height": 900, "deviceScaleFactor": 1, "mobile": false}),
    );
    browser.wait_for("!!document.querySelector('.split .old')");
    let apart = "[...document.querySelectorAll('.split .old')].filter((old) => old.checkVisibility()).map((old) => [old, old.nextElementSibling]) \
        .filter(([old, kept]) => old.offsetTop !== kept.offsetTop || old.offsetLeft >= kept.offsetLeft || old.textContent !== kept.textContent).length";
    assert!(browser.visible(".split .old") > 10);
    assert_eq!(browser.number(apart), 0);
    browser.photograph("wide.png");
    // What can be chosen by hand can be reached by keyboard, and says what it is.
    assert_eq!(
        browser.number("[...document.querySelectorAll('button, input, summary, a')].filter((part) => part.tabIndex < 0 || !(part.textContent.trim() || part.labels?.length)).length"),
        0
    );
}
