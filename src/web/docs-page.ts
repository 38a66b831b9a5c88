import type { Page } from './page'

export const docsPage = (siteName: string): Page => ({
  title: `${Bun.escapeHTML(siteName)} API`,
  styles: ['swagger-ui.css', 'docs.css'],
  scripts: ['swagger-ui.js', 'docs.js'],
  body: `<header>
<a class="name" href="docs">${Bun.escapeHTML(siteName)}</a>
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
<main>
<section id="start" aria-labelledby="start-title">
<h2 id="start-title">New here?</h2>
<ol>
<li><a href="#/users/registerUser">Register</a>: replace the address and password in the example with yours, and press Execute.</li>
<li>Follow the link in the mail that you get. Without a mail server, the mail is in the log of the service.</li>
<li>Sign in at the top of this page. From then on, each call carries your token.</li>
<li><a href="#/movies/listMovies">Search the movies</a>, and <a href="#/movies/createMovie">add one of your own</a>.</li>
</ol>
<p>No mail? <a href="activate">Ask for another</a>. Forgotten your password? <a href="reset-password">Choose a new one</a>.</p>
</section>
<div id="operations"></div>
</main>`,
})
