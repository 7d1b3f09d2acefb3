"""The authorization server of a provider: consent, codes, tokens and refresh tokens with their families."""

import base64
import hashlib
import time
import urllib.parse

# How each says no to a code and to a refresh token: not every one keeps to RFC 6749.
REFUSALS = {
    "github": (200, "bad_verification_code", "bad_refresh_token"),
    "slack": (200, "invalid_code", "invalid_refresh_token"),
    "zoho-mail": (200, "invalid_code", "invalid_code"),
}


class Family:
    """One consent and every token that came from it. A superseded refresh token that comes back after the leeway
    ends it all, as RFC 9700 asks of a server that rotates."""

    def __init__(self, account, scope):
        self.account, self.scope, self.revoked = account, scope, False
        self.refresh, self.superseded = None, {}


class AuthorizationServer:
    def __init__(self, definition, accounts, random):
        oauth = definition.oauth
        self.definition, self.accounts, self.random = definition, accounts, random
        rotates = oauth.get("refresh") != "reusable"
        whenever = oauth.get("refresh") == "single_use_when_given" and definition.slug in ("github", "slack")
        self.settings = {"expires_in": None if whenever else 3600, "refresh_tokens": not whenever, "rotation": rotates,
                         "leeway_seconds": 0, "deny": None}
        self.codes, self.access, self.families, self.reuse_detected = {}, {}, {}, 0

    def _secret(self, prefix):
        return f"{prefix}-{self.random.getrandbits(160):040x}"

    # Authorization

    def authorize(self, query):
        """Consents at once, or denies when told to. The status and where to send the browser."""
        oauth = self.definition.oauth
        wrong = [name for name in ("client_id", "redirect_uri", "state") if not query.get(name)]
        wrong += [name for name, value in oauth.get("authorize_params", {}).items() if query.get(name) != value]
        wrong += ["response_type"] if query.get("response_type") != "code" else []
        pkce = oauth.get("pkce") == "required"
        if pkce and (query.get("code_challenge_method") != "S256" or len(query.get("code_challenge", "")) != 43):
            wrong.append("code_challenge")
        if wrong:
            return 400, "invalid_request: " + ", ".join(wrong)
        answer = {"state": query["state"]}
        if self.settings["deny"]:
            answer.update(self.settings["deny"])
        else:
            answer["code"] = code = self._secret("code")
            separator = "," if oauth.get("scopes", {}).get("separator") == "comma" else " "
            account = self.accounts(query.get("account", "ada"))
            self.codes[code] = {"query": query, "account": account, "family": None,
                                "scope": query.get("scope", "").replace(separator, " ")}
        if "issuer" in oauth:
            answer.setdefault("iss", query.get("iss", self.origin))
        if "region_callback_param" in oauth:
            answer[oauth["region_callback_param"]] = "https://accounts.zoho." + query.get("dc", "com")
        return 302, query["redirect_uri"] + "?" + urllib.parse.urlencode(answer)

    # Tokens

    def token(self, ask):
        """The answer of the token endpoint, status and document, and what it did."""
        form = ask.form if self.definition.oauth.get("encoding", "form") == "form" else ask.json
        if not isinstance(form, dict):
            return 400, {"error": "invalid_request"}, "malformed"
        if not self._client(ask, form):
            return 401, {"error": "invalid_client"}, "client"
        grant = form.get("grant_type", "authorization_code")
        if grant == "refresh_token":
            return self._refreshed(form.get("refresh_token"))
        if grant != "authorization_code":
            return 400, {"error": "unsupported_grant_type"}, grant
        return self._exchanged(form)

    def _client(self, ask, form):
        if self.definition.oauth.get("client_auth", "body") == "basic":
            try:
                given = base64.b64decode(ask.headers.get("authorization", "").removeprefix("Basic ")).decode()
            except ValueError:
                return False
            return given.count(":") == 1 and all(given.split(":")) and "client_secret" not in form
        return bool(form.get("client_id") and form.get("client_secret"))

    def _no(self, which):
        status, *names = REFUSALS.get(self.definition.slug, (400, "invalid_grant", "invalid_grant"))
        refusal = {"error": names[which]}
        return status, {"ok": False, **refusal} if self.definition.slug == "slack" else refusal

    def _exchanged(self, form):
        code = self.codes.get(form.get("code"))
        if code is None:
            return *self._no(0), "unknown_code"
        if code["family"] is not None:  # a code that comes twice was stolen: RFC 6749, 4.1.2
            code["family"].revoked = True
            return *self._no(0), "reused_code"
        challenge = code["query"].get("code_challenge")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proven = challenge is None or base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
        if not proven or form.get("redirect_uri") != code["query"]["redirect_uri"]:
            return *self._no(0), "wrong_verifier" if not proven else "wrong_redirect"
        family = code["family"] = Family(code["account"], code["scope"])
        return 200, self._issue(family, first=True), "issued"

    def _refreshed(self, token):
        family = self.families.get(token)
        if family is None or family.revoked:
            return *self._no(1), "refused"
        if token != family.refresh:
            if time.monotonic() - family.superseded[token] > self.settings["leeway_seconds"]:
                family.revoked = True
                self.reuse_detected += 1
                return *self._no(1), "reuse_detected"
            return 200, self._issue(family), "within_leeway"
        return 200, self._issue(family), "refreshed"

    def _issue(self, family, first=False):
        now, life, slug = time.time(), self.settings["expires_in"], self.definition.slug
        access = self._secret("access")
        self.access[access] = (family, now + life if life else None)
        out = {"access_token": access, "token_type": "Bearer", "scope": family.scope}
        if life:
            out["expires_in"] = life
        if self.settings["refresh_tokens"] and (first or self.settings["rotation"]):
            if family.refresh:
                family.superseded[family.refresh] = time.monotonic()
            family.refresh = out["refresh_token"] = self._secret("refresh")
            self.families[family.refresh] = family
        if slug == "slack":
            account = family.account
            out.update(ok=True, token_type="bot", bot_user_id=f"U{account.number}", app_id="A1", enterprise=None,
                       team={"id": account.external_id, "name": account.name.title()})
        if slug == "zoho-mail":
            out["api_domain"] = "https://www.zohoapis.com"
        return out

    def revoke(self, ask):
        """By the token in the form, in the document or in the header; the account whose grant ended."""
        given = [*(ask.form or {}).values(), *(ask.json.values() if isinstance(ask.json, dict) else []),
                 ask.headers.get("authorization", "").rpartition(" ")[2]]
        for token in given:
            family = self.families.get(token) or self.access.get(token, (None,))[0]
            if family:
                family.revoked = True
                return family.account
        return None

    # What the resource server asks

    def account_of(self, ask):
        """Whose token a call carries, in the scheme of the provider; None when it is good for nothing."""
        scheme, _, token = ask.headers.get("authorization", "").partition(" ")
        wanted = self.definition.oauth.get("token_scheme", "Bearer")
        family, end = self.access.get(token, (None, None))
        if scheme.lower() != wanted.lower() or family is None or family.revoked or (end and end <= time.time()):
            return None
        return family.account

    def subject(self, ask):
        """Whose code or refresh token the token endpoint is given, good or not."""
        form = ask.form or ask.json
        if not isinstance(form, dict):
            return None
        family = self.families.get(form.get("refresh_token"))
        code = self.codes.get(form.get("code"))
        return family.account if family else code["account"] if code else None

    def expire(self, account=None):
        """Every access token (of an account) ends now; refresh tokens stay good."""
        for token, (family, _) in self.access.items():
            if account in (None, family.account.name):
                self.access[token] = (family, time.time())

    def end(self, account=None):
        """The user withdraws: tokens and refresh tokens are gone."""
        for family, _ in self.access.values():
            if account in (None, family.account.name):
                family.revoked = True
