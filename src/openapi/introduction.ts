export const tags = [
  {
    name: 'movies',
    description: 'The catalogue. Everybody can see a movie; its creator alone can change it.',
  },
  { name: 'favourites', description: 'Your own list of favourite movies.' },
  { name: 'users', description: 'Registering, activating an account, setting a new password.' },
  { name: 'tokens', description: 'Signing in and out, and asking for mails.' },
  { name: 'health', description: 'Probes and metrics for whoever runs the service.' },
  {
    name: 'pages',
    description: 'For people with a browser: this documentation, and the pages that mails link to.',
  },
]

/** What all operations have in common, in Markdown. */
export const description = `
To begin: register, activate the account with the token from the mail, sign in, and send the token with each call as
\`Authorization: Bearer <token>\`.

- Bodies are JSON objects in UTF-8, sent with \`Content-Type: application/json\`. Times are in UTC, dates are \`YYYY-MM-DD\`.
- Every error is \`{"error": …}\`: a string or, for a request that breaks rules (422), a message for each field.
- A path that doesn't know a method answers 405 with \`Allow\`. \`HEAD\` works wherever \`GET\` does; \`OPTIONS\` is 204.
- Every answer carries \`X-Request-Id\`, which is in the log of the service too; send your own to follow a request.
- Each client address may send 20 requests a second, unless configured otherwise; beyond that it is told 429, and in
  \`Retry-After\` when to try again.
`.trim()
