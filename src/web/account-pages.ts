import type { Page } from './page'

type AccountPage = {
  readonly title: string
  readonly lead: string
  /** Form fields besides the token. */
  readonly fields: string
  readonly button: string
  /** The API endpoint that does the same. */
  readonly endpoint: string
}

const accountPage = ({ title, lead, fields, button, endpoint }: AccountPage): Page => ({
  title: `${title} · Redlight`,
  styles: ['account.css'],
  scripts: ['account.js'],
  body: `<header><a href="docs">Redlight</a></header>
<main>
<h1 id="title" tabindex="-1">${title}</h1>
<p id="message" role="status">${lead}</p>
<noscript><p>This page needs JavaScript. Without it, send the token from the mail to <code>${endpoint}</code>, as the command in the mail does.</p></noscript>
<form id="act" novalidate>
<div id="token-field">
<label for="token">Token from the mail</label>
<input id="token" name="token" autocomplete="off" autocapitalize="characters" spellcheck="false" aria-describedby="token-problem">
<p class="problem" id="token-problem"></p>
</div>
${fields}<button>${button}</button>
</form>
<p class="problem" id="problem" role="alert"></p>
<form id="again" novalidate hidden>
<h2>Need a new mail?</h2>
<label for="email">Email address of your account</label>
<input id="email" name="email" type="email" autocomplete="email" aria-describedby="email-problem">
<p class="problem" id="email-problem"></p>
<button>Send me a new mail</button>
</form>
<p id="next" hidden><a href="docs">Sign in on the documentation page</a></p>
</main>`,
})

/** Activates when the button is pressed, not when the page opens: mail scanners open links. */
export const activationPage = accountPage({
  title: 'Activate your account',
  lead: 'Press the button and your account is active.',
  fields: '',
  button: 'Activate my account',
  endpoint: 'PUT /v1/users/activated',
})

export const passwordResetPage = accountPage({
  title: 'Choose a new password',
  lead: 'It takes the place of the old one, and signs you out everywhere.',
  fields: `<label for="password">New password</label>
<p class="hint" id="password-hint">8 to 128 characters of any kind. Not your name, email address or username, and not one of the commonest passwords.</p>
<input id="password" name="password" type="password" autocomplete="new-password" aria-describedby="password-hint password-problem">
<p class="problem" id="password-problem"></p>
<p class="choice"><input id="show" type="checkbox"><label for="show">Show the password</label></p>
`,
  button: 'Set the new password',
  endpoint: 'PUT /v1/users/password',
})
