import type { Page } from './page'

export const docsPage: Page = {
  title: 'Redlight API',
  styles: ['swagger-ui.css', 'docs.css'],
  scripts: ['swagger-ui.js', 'docs.js'],
  body: `<header>
<a class="name" href="docs">Redlight</a>
<form id="sign-in">
<input name="login" autocomplete="username" placeholder="Email or username" aria-label="Email or username" required>
<input name="password" type="password" autocomplete="current-password" placeholder="Password" aria-label="Password" required>
<button>Sign in</button>
</form>
<form id="sign-out" hidden>
<span id="who"></span>
<button>Sign out</button>
</form>
<a href="docs/json">OpenAPI</a>
<p id="sign-in-problem" role="alert"></p>
</header>
<noscript>This page needs JavaScript; the OpenAPI document is at <a href="docs/json">docs/json</a>.</noscript>
<main id="operations"></main>`,
}
