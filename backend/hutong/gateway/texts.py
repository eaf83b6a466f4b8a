"""What the pages say, in Chinese and English, and which of the two a visitor reads."""

from __future__ import annotations

from werkzeug.wrappers import Request

_ZH = {
    "lang": "zh-CN",
    "other": "en",
    "other_lang": "en",
    "other_name": "EN",
    "brand": "胡同",
    "section": "发票",
    "demonstration": "演示网络：数据均为样例，不作报销凭证",
    "network": "网络",
    "ordinary": "电子发票（普通发票）",
    "special": "电子发票（增值税专用发票）",
    "ordinary_credit": "红字发票（普通发票）",
    "special_credit": "红字发票（增值税专用发票）",
    "paid": "已付款",
    "promised": "已承诺",
    "onchain": "已上链",
    "onchain_now": "正在上链",
    "onchain_late": "还没上链",
    "by": "最迟",
    "late_by": "已晚",
    "say_promised": "发票已经归你。开票系统已签字保证按时上链，现在可以关掉本页，链接一直有效。",
    "say_onchain": "这张发票已记在链上。谁都可以核对，不必相信本网站。",
    "say_late": "比承诺晚了。",
    "say_stalled": "暂时还没上链。",
    "say_kept": "号码一直为你保留，原因消除后自动上链，你不用做什么。",
    "tag_promised": "已承诺",
    "tag_late": "比承诺晚",
    "tag_onchain": "已上链",
    "tag_failed": "未能上链",
    "show": "出示此码，对方就能查看",
    "show_hint": "扫码的人会看到本页全部内容，包括付款。请只给要看这张发票的人。",
    "number": "发票号码",
    "seller": "销售方",
    "buyer": "购买方",
    "individual": "个人",
    "item": "项目",
    "tax": "税",
    "exempt": "免税",
    "not-taxed": "不征税",
    "zero": "零税率",
    "more_lines": "其余 {count} 项",
    "totals": "合计",
    "net": "不含税",
    "payment": "付款",
    "remarks": "备注",
    "drawer": "开票人",
    "record": "上链记录",
    "block": "区块",
    "place": "批次第 {place} / {count} 张",
    "not_yet": "还没有",
    "mean": "“已上链”是什么意思？",
    "mean_1": "开票系统把这张发票的指纹记到了由多个部门共同维护的链上。"
    "记上以后，谁也不能改动、删除，或用同一个号码再开一张，开票系统自己也不能。",
    "mean_2": "上链证明的是：这个销售方在这个时间开了这张发票，内容没有变过。它不能证明货物或服务是否真的交付。",
    "mean_3": "上链以前，“已承诺”只是开票系统签了字的话：它保证在所说的时间以前上链。",
    "check": "怎样自己核验？",
    "check_1": "下载凭证包，用任何一台电脑直接问链上的合约，不经过本网站：",
    "check_2": "凭证包里有发票全文和证明。给出去以前想好对方该看到什么。",
    "fingerprint": "指纹",
    "download": "下载凭证包",
    "download_wait": "上链后可下载",
    "share": "分享",
    "verify": "核验",
    "copied": "链接已复制",
    "print_title": "发票",
    "home_title": "胡同：付款之后，发票就到",
    "home_lead": "收到一笔付款，马上得到有号码的发票；几秒钟后它记在链上，谁都可以核对，不必相信开票的网站。",
    "home_1": "一次调用",
    "home_1_text": "把付款告诉接口，答复里就有发票号码、签了字的承诺和给顾客的链接。",
    "home_2": "谁都能核对",
    "home_2_text": "凭证包里有发票和证明。核验时只问链上的合约，不问我们。",
    "home_3": "不会重开",
    "home_3_text": "一个号码只有一张发票，一笔付款只开一次。重复的请求得到第一次的答复。",
    "first_call": "第一次调用",
    "first_call_text": "把 hk_… 换成你的接口密钥。金额是字符串，税率以万分之一计（900 就是 9%）。",
    "addresses": "地址",
    "try_it": "试用接口",
    "description": "接口说明（OpenAPI）",
    "rules": "错误代码",
    "ready": "运行状态",
    "docs_title": "试用接口",
    "docs_text": "先点 Authorize 填入接口密钥。这里发出的请求都是真的。",
    "rules_title": "错误代码",
    "rules_text": "每个错误的代码就是一条规则的名字。答复里的 detail 说这一次错在哪里，field 说是哪一栏。",
    "code": "代码",
    "status": "状态码",
    "rule": "规则",
    "problem_404": "这里没有内容",
    "problem_other": "没有办成",
    "problem_hint": "链接可能没有复制完整。请向给你链接的人再要一次。",
    "home": "回到首页",
}
_EN = {
    "lang": "en",
    "other": "zh",
    "other_lang": "zh-CN",
    "other_name": "中文",
    "brand": "Hutong",
    "section": "Invoices",
    "demonstration": "Demonstration network. Sample data, not valid for reimbursement.",
    "network": "Network",
    "ordinary": "Electronic invoice (ordinary)",
    "special": "Electronic invoice (special VAT)",
    "ordinary_credit": "Credit note (ordinary)",
    "special_credit": "Credit note (special VAT)",
    "paid": "Paid",
    "promised": "Promised",
    "onchain": "On chain",
    "onchain_now": "Going on chain",
    "onchain_late": "Not on chain yet",
    "by": "by",
    "late_by": "late by",
    "say_promised": "The invoice is yours. The issuing system has signed that it will be on chain in time. "
    "You can close this page; the link stays valid.",
    "say_onchain": "This invoice is recorded on the chain. Anyone can check it without trusting this site.",
    "say_late": "Later than promised.",
    "say_stalled": "Not on chain for now.",
    "say_kept": "The number is kept for you. It goes on by itself when the cause is gone; you need do nothing.",
    "tag_promised": "Promised",
    "tag_late": "Late",
    "tag_onchain": "On chain",
    "tag_failed": "Not on chain",
    "show": "Show this code to let someone see it",
    "show_hint": "Whoever scans it sees all of this page, the payment included. "
    "Give it only to those who are to see this invoice.",
    "number": "Number",
    "seller": "Seller",
    "buyer": "Buyer",
    "individual": "Individual",
    "item": "Item",
    "tax": "VAT",
    "exempt": "exempt",
    "not-taxed": "not taxed",
    "zero": "zero-rated",
    "more_lines": "{count} more",
    "totals": "Total",
    "net": "net",
    "payment": "Paid with",
    "remarks": "Remarks",
    "drawer": "Drawn by",
    "record": "Recorded",
    "block": "Block",
    "place": "place {place} of {count}",
    "not_yet": "Not yet",
    "mean": "What does “on chain” mean?",
    "mean_1": "The issuing system has put this invoice's fingerprint on a chain that several agencies keep together. "
    "Once there, nobody can change it, delete it, or issue another one under the same number: "
    "not even the issuing system.",
    "mean_2": "It proves that this seller issued this invoice at this time, and that nothing in it has changed. "
    "It does not prove that the goods or services were delivered.",
    "mean_3": "Before that, “promised” is only the issuing system's signed word: "
    "it will be on chain before the time given.",
    "check": "How can I check it myself?",
    "check_1": "Download the bundle and ask the contract on the chain from any computer, without this site:",
    "check_2": "The bundle holds the whole invoice and its proof. Think of what the other side should see.",
    "fingerprint": "Fingerprint",
    "download": "Bundle",
    "download_wait": "Bundle once on chain",
    "share": "Share",
    "verify": "Verify",
    "copied": "Link copied",
    "print_title": "Invoice",
    "home_title": "Hutong: paid, and the invoice is there",
    "home_lead": "A payment comes in and has its numbered invoice at once. Seconds later it is on a chain, "
    "where anyone can check it without trusting the site that issued it.",
    "home_1": "One call",
    "home_1_text": "Tell the API of a payment; the answer has the invoice's number, a signed promise, "
    "and a link for the customer.",
    "home_2": "Anyone can check",
    "home_2_text": "A bundle holds invoice and proof. Checking asks the contract on the chain, not us.",
    "home_3": "Never twice",
    "home_3_text": "One number, one invoice; one payment, one invoice. A repeated request gets its first answer.",
    "first_call": "The first call",
    "first_call_text": "Replace hk_… with your API key. Amounts are strings, rates are 1/10000 (900 is 9%).",
    "addresses": "Addresses",
    "try_it": "Try the API",
    "description": "Description (OpenAPI)",
    "rules": "Error codes",
    "ready": "State of service",
    "docs_title": "Try the API",
    "docs_text": "Press Authorize and enter an API key first. Requests sent from here are real.",
    "rules_title": "Error codes",
    "rules_text": "An error's code is the name of a rule. Its detail says what is wrong this time, its field where.",
    "code": "Code",
    "status": "Status",
    "rule": "Rule",
    "problem_404": "There is nothing here",
    "problem_other": "That did not work",
    "problem_hint": "Perhaps the link was not copied whole. Ask whoever gave it to you once more.",
    "home": "To the front page",
}
#: Why a book stands still, for people; by the contract's or our error code.
_WHY_ZH = {
    "QuotaExceeded": "商户本月额度用尽，税务局批下额度后继续。",
    "ParticipantSuspended": "商户的资格被暂停，恢复后继续。",
    "Suspended": "商户的资格被暂停，恢复后继续。",
    "SignerMissing": "商户的签字人需要更新，更新后继续。",
    "NumberTaken": "这个号码在链上属于另一张发票，开票方要处理。",
}
_WHY_EN = {
    "QuotaExceeded": "The seller's quota for this month is used up; it goes on when the tax bureau grants more.",
    "ParticipantSuspended": "The seller is suspended; it goes on when that ends.",
    "Suspended": "The seller is suspended; it goes on when that ends.",
    "SignerMissing": "The seller's signer must be renewed; then it goes on.",
    "NumberTaken": "On the chain this number belongs to another invoice; the seller must act.",
}
_PROVIDERS = {
    "wechat-pay": "微信支付",
    "alipay": "支付宝",
    "unionpay": "银联",
    "e-cny": "数字人民币",
}
_PROVIDERS_EN = {
    "wechat-pay": "WeChat Pay",
    "alipay": "Alipay",
    "unionpay": "UnionPay",
    "e-cny": "Digital yuan",
}


def language(request: Request) -> str:
    """ "zh" or "en": what the address asks for, else what the browser prefers, else Chinese."""
    asked = request.args.get("lang")
    if asked in ("zh", "en"):
        return asked
    return "en" if request.accept_languages.best_match(["zh", "en"], "zh") == "en" else "zh"


def texts(which: str) -> dict[str, str]:
    """All texts of a language."""
    return _EN if which == "en" else _ZH


def reason(why: dict[str, object] | None, which: str) -> str:
    """Why it stands still, in words for people; "" when there are none."""
    code = str((why or {}).get("code", ""))
    return (_WHY_EN if which == "en" else _WHY_ZH).get(code, "")


def provider_name(provider: str, which: str) -> str:
    """A payment provider as people call it."""
    return (_PROVIDERS_EN if which == "en" else _PROVIDERS).get(provider, provider)
