// Every word on the page, Chinese and English, and the switch between them.

const WORDS = {
  skip: ["跳到预警列表", "Skip to alerts"],
  title: ["城市大脑", "City brain"],
  province: ["浙江省", "Zhejiang"],
  clock: ["处理时间", "Processing time"],
  speed: ["时间流速", "Time runs at"],
  rate: ["读数/秒", "Readings/s"],
  lag: ["待处理记录", "Records waiting"],
  state: ["状态", "State"],
  namespace: ["数据空间", "Namespace"],
  map: ["县（市、区）风险五色图", "Risk colour of the counties"],
  sketch: ["示意图，无审图号，仅供方位参考", "Sketch map, no review number, for orientation only"],
  domain: ["领域", "Domain"],
  "in-2020": ["2020年", "in 2020"],
  county: ["区县", "County"],
  "choose-county": ["选择…", "choose…"],
  tiles: ["没有边界数据的区县按城市排列，不表示位置", "Counties without borders stand in rows by city, not in their place"],
  figures: ["指标", "Figures"],
  "figures-note": ["完整度与截至时间随值列出", "each with its completeness and as-of time"],
  alerts: ["未解除预警", "Open alerts"],
  official: ["官方预警", "official"],
  "official-warnings": ["生效中的官方预警", "Official warnings in force"],
  "more-warnings": ["条官方预警", "more official warnings"],
  "house-end": ["发布方未给出结束时间，按本平台约定", "no end was stated: the house's rule"],
  ledger: ["读数台账", "Ledger of readings"],
  close: ["关闭", "Close"],
  ok: ["正常", "normal"],
  behind: ["追赶中", "catching up"],
  connecting: ["正在连接", "connecting"],
  waiting: ["尚无数据", "no data yet"],
  lost: ["连接中断", "connection lost"],
  "lost-means": ["收不到服务器的消息；以下是中断前的数据，正在自动重连", "no word from the server; what you see is older; reconnecting by itself"],
  database: ["数据库无应答", "database silent"],
  "database-means": ["数据库无应答；以下是此前的数据", "the database has not answered; what you see is older"],
  standing: ["数据停止更新", "data stand still"],
  "standing-means": ["没有新记录被处理：处理程序或数据源已停；以下不是当前情况", "no record has been processed: the worker or the source has stopped; this is not the present"],
  "silent-feed": ["数据源静默", "sources silent"],
  "silent-feed-means": ["最新读数已过去", "the newest reading is old by"],
  "since-when": ["自", "Since"],
  "up-to-now": [" 起", ""],
  "newest-data": ["最新数据", "Newest data"],
  "newest-data-means": ["最新读数距处理时间的时长", "Age of the newest reading at processing time"],
  stale: ["失联", "stale"],
  unverified: ["待核实", "unverified"],
  acknowledged: ["已确认", "acknowledged"],
  "by-hand": ["人工关闭", "closed by hand"],
  closing: ["正在关闭", "being closed"],
  silenced: ["已静默", "silenced"],
  "road-closed": ["道路封闭", "road closed"],
  "road-advised": ["建议封路", "closure advised"],
  "not-done": ["未执行", "not carried out"],
  pending: ["待确认", "pending"],
  hidden: ["已抑制", "hidden"],
  ended: ["已结束", "ended"],
  "quiet-now": ["观察中", "quiet"],
  "alert-unit": ["条", "alert"],
  "alerts-unit": ["条", "alerts"],
  "incidents-unit": ["起事件", "incidents"],
  "several-domains": ["多个领域", "several domains"],
  "not-grouped": ["待归并预警", "alerts not grouped yet"],
  "more-below": ["其余请按区县查看", "More: choose the county"],
  test: ["测试", "test"],
  since: ["始于", "since"],
  "no-alerts": ["当前没有未解除的预警。", "No alert is open."],
  headline: ["规划指标", "Indicators of the Plan"],
  "plan-13": ["城市现存易涝点消除率", "share of known waterlogging points eliminated"],
  "plan-15": ["优良天数比率", "good-air-day ratio"],
  "plan-19": ["标准化避灾安置场所", "Standardised shelters"],
  "no-data-yet": ["尚无数值：", "No value yet: "],
  "no-domain": ["此处未安装该领域。", "its domain is not installed here."],
  "not-stated": ["数据不足，无法给出；已有", "too little to state it; have"],
  "why-13": ["登记中还没有易涝点名册（冻结名册）的点位。", "the registry names no point of the frozen inventory."],
  "why-15": ["自然日结束且监测有效后才有当日AQI，比率随之给出。", "it needs a closed day with enough valid hours of air data."],
  "why-19": ["登记中还没有避灾安置场所。", "the registry has no shelter."],
  "no-bounds": ["缺数，上下限未给出", "incomplete, no bounds stated"],
  certain: ["完整，上下限即此值", "complete: bounds meet here"],
  between: ["上下限", "bounds"],
  "target-2025": ["2025年目标", "target 2025"],
  path: ["线性参考值", "reference path"],
  "no-target": ["（参考值非规划目标）", "(the path is no target)"],
  "signed-off": ["已销号/名册", "signed off / inventory"],
  relapses: ["疑似复发", "relapses proposed"],
  "relapse-rule": ["登记确认后才计入", "they count when confirmed"],
  "by-rule": ["按标准", "by rule of"],
  accepted: ["验收", "accepted"],
  deregistered: ["注销", "de-registered"],
  revision: ["修订", "revision"],
  unknown: ["未知（斜线，保留上次颜色）", "Unknown (hatched over its last colour)"],
  unjudged: ["未评估", "Not judged yet"],
  complete: ["完整", "complete"],
  "as-of": ["截至", "as of"],
  closes: ["✓ 账目平衡", "✓ balances"],
  "does-not-close": ["✕ 账目不平", "✕ does not balance"],
  received: ["接收", "received"],
  rejected: ["拒收", "rejected"],
  quarantined: ["隔离", "quarantined"],
  duplicate: ["重复", "duplicate"],
  stored: ["入库", "stored"],
  on_time: ["准时", "on time"],
  late: ["迟到", "late"],
  revised: ["修订", "revised"],
  "led-by": ["主导", "led by"],
  fresh: ["最新数据", "newest data"],
  ago: ["前", "ago"],
  points: ["监测点位", "Points"],
  city: ["城市", "City"],
  "county-alerts": ["本区县未解除预警", "Open alerts of this county"],
  "at-change": ["最近一次变化时的值 / 阈值", "Value / threshold at its last change,"],
  silent: ["静默", "silent"],
  "no-series": ["此时段没有窗口数据。", "No windows in this stretch."],
  chart: ["近 3 小时（窗口最高值）", "Last 3 h (window maxima)"],
  more: ["另有", "and"],
  "more-points": ["个点位", "more points"],
  areas: ["区县", "counties"],
  reporting: ["有数据", "reporting"],
  "unknown-short": ["未知", "unknown"],
  hour: ["小时", "hour"], day: ["日", "day"], month: ["月", "month"], year: ["年", "year"], state_: ["现状", "now"],
  composite: ["综合", "All"],
  login: ["登录", "Log in"],
  logout: ["退出", "Log out"],
  account: ["账号", "Account"],
  password: ["密码", "Password"],
  "change-password": ["请先修改密码", "Change the password first"],
  "old-password": ["原密码", "Present password"],
  "new-password": ["新密码（至少 12 个字符）", "New password (12 characters or more)"],
  "password-again": ["再次输入新密码", "The new one again"],
  save: ["保存", "Save"],
  "wrong-login": ["账号或密码不正确。", "Account and password do not fit."],
  "too-many": ["失败次数过多，请 15 分钟后再试。", "Too many failures: wait 15 minutes."],
  "link-used": ["此链接已使用或已过期。", "This link was used, or is too old."],
  "not-the-same": ["两次输入的新密码不一致。", "The new passwords differ."],
  "too-easy": ["新密码太短或太简单。", "The new password is too short or too easy."],
  everywhere: ["全部", "everywhere"],
  "role-viewer": ["查看", "viewer"], "role-operator": ["值班", "operator"],
  "role-commander": ["指挥", "commander"], "role-administrator": ["管理", "administrator"],
  compound: ["（多领域叠加升一级）", "(several at once: one step up)"],
};
const UNITS = { 个: "", 人: "people", 次: "times", 级: "level", 小时: "h" };
const LEVELS = [["绿", "low", "低"], ["蓝", "blue", "一般"], ["黄", "yellow", "较高"], ["橙", "orange", "高"], ["红", "red", "极高"]];
const SHORT = ["G", "B", "Y", "O", "R"];
const KINDS = {
  simulated: ["模拟 SIMULATED", "本页数据来自模拟城市，不是真实情况", "Everything here is a simulated city, not real events"],
  replay: ["回放 REPLAY", "本页数据为历史记录回放，不是当前情况", "Recorded data played again, not the present"],
  verify: ["核验 VERIFY", "本页数据用于核验，不是当前情况", "Data of a verification, not the present"],
  drill: ["演练 DRILL", "演练数据，不是真实情况", "A drill, not real events"],
};

let english = localStorage.getItem("language") === "en";

export const isEnglish = () => english;
export const word = (key) => (WORDS[key] ?? [key, key])[english ? 1 : 0];
export const sign = (rank) => (english ? SHORT[rank] : LEVELS[rank][0]) ?? "–";
export const levelName = (rank) => (english ? LEVELS[rank][1] : `${LEVELS[rank][0]} ${LEVELS[rank][2]}`);
export const kindBanner = (kind) => KINDS[kind] && [KINDS[kind][0], KINDS[kind][english ? 2 : 1]];
export const unitName = (unit) => (english ? UNITS[unit] ?? unit : unit);
export const pick = (zh, en) => (english ? en || zh : zh || en);

const listeners = [];

export const onLanguage = (act) => listeners.push(act);

export function switchLanguage() {
  english = !english;
  localStorage.setItem("language", english ? "en" : "zh");
  translatePage();
  for (const act of listeners) act();
}

export function translatePage() {
  document.documentElement.lang = english ? "en" : "zh-CN";
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = word(node.dataset.word);
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", word(node.dataset.label));
  for (const button of document.querySelectorAll(".language")) {
    button.textContent = english ? "中文" : "English";
    button.lang = english ? "zh-CN" : "en";
  }
}
