// Texts that a page must show as they are. Each tries another context; `pwned` is set by whatever runs.
export const HOSTILE = [
  `<script>window.pwned=1;alert(1)</script>`,
  `"><img src=x onerror="window.pwned=1">`,
  `'><svg/onload=window.pwned=1>`,
  `</title></textarea></style></script><script>window.pwned=1</script>`,
  `<iframe srcdoc="<script>parent.pwned=1</script>"></iframe>`,
  `<base href="https://evil.example/"><link rel=stylesheet href=//evil.example/x.css>`,
  `<meta http-equiv=refresh content="0;url=https://evil.example/">`,
  `<form action=https://evil.example/><input name=csrf><button>go</button></form>`,
  `<a href="javascript:window.pwned=1" autofocus onfocus="window.pwned=1">x</a>`,
  `<div hx-get="/dashboard/logout" hx-trigger="load" hx-on:load="window.pwned=1">`,
  `<details open ontoggle=window.pwned=1>`,
  `<style>*{display:none}@import "//evil.example"</style>`,
  "${window.pwned=1}{{constructor.constructor('window.pwned=1')()}}<%= 1 %>",
  `javascript:window.pwned=1`,
  `&lt;script&gt;window.pwned=1&lt;/script&gt; &amp;amp; &#60;b&#62;`,
  `{{TITLE}}{{%AUTOESCAPE context="HTML"}}{{#ROW}}`,
  `\u202egnp.exe\u2066 \u0627\u0644\u0639\u0631\u0628\u064a\u0629 \u05e2\u05d1\u05e8\u05d9\u05ea`,
  `\u{1f469}\u200d\u{1f469}\u200d\u{1f467} e\u0301\u0323 \ufeff\u200b zero\u00adwidth`,
  `line one\nline two\ttab\r\n<b>three</b>`,
  `Z${"a\u0300\u0301\u0302\u0303\u0304".repeat(12)}lgo`,
  `=cmd|'/c calc'!A0`,
  "W".repeat(290),
];

/// Addresses that must never become links.
export const NO_LINKS = [
  "javascript:window.pwned=1", "JaVaScRiPt:window.pwned=1", "data:text/html,<script>window.pwned=1</script>", "vbscript:x",
  "//evil.example/x", "/dashboard/logout", "https://user:pw@evil.example/", "https://evil.example/a b", "https:///x", "\u0001https://evil.example/",
  "https://evil.example/\nx", "ftp://evil.example/x",
];
