// Runs in the browser, on the pages that mails link to. The token stays in the memory of the page.
const element = (id) => document.getElementById(id)
const api = new URL('.', document.baseURI).href
const TIMEOUT_MS = 30_000

const isReset = element('password') !== null
const action = isReset
  ? { path: 'v1/users/password', again: 'v1/tokens/password-reset' }
  : { path: 'v1/users/activated', again: 'v1/tokens/activation' }
const start = { title: element('title').textContent, message: element('message').textContent }
let cameByLink = false

/** What stands behind # is sent to no server; here it leaves the address bar and the history too. */
function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? ''
  cameByLink = token !== ''
  if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search)
  element('token').value = token
  element('token-field').hidden = cameByLink
  element('again').hidden = cameByLink
  element('act').hidden = false
  element('next').hidden = true
  element('message').textContent = cameByLink
    ? start.message
    : 'Open the link in the mail, or copy the token from the mail to here.'
}

/** The response's status (0 without a response) and message. */
async function send(method, path, body) {
  try {
    const response = await fetch(api + path, {
      method,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    // A proxy may respond with an HTML page.
    const answer = await response.json().catch(() => ({}))
    return { status: response.status, headers: response.headers, ...answer }
  } catch {
    return { status: 0 }
  }
}

function problemOf({ status, headers, error }) {
  if (status === 0) return 'The service did not answer. Check your connection, then try again.'
  if (status === 429) return `Too many tries. Wait ${pause(headers.get('Retry-After'))}, then try again.`
  if (typeof error === 'string' && status < 500) return `The service refused: ${error}.`
  const id = headers.get('X-Request-Id')
  const whoToTell = id === null ? '' : ` If this goes on, give the operator of the service this number: ${id}`
  return `The service can’t do this just now. Try again in a moment.${whoToTell}`
}

function pause(retryAfter) {
  const seconds = Number(retryAfter) || 60
  if (seconds < 100) return seconds === 1 ? 'a second' : `${seconds} seconds`
  return `${Math.ceil(seconds / 60)} minutes`
}

/** A new state of the page: the heading is where a screen reader goes on from. */
function show(title, message) {
  document.title = `${title} · Redlight`
  element('title').textContent = title
  element('message').textContent = message
  element('title').focus()
}

function done(title, message, next = element('next').firstElementChild) {
  element('act').hidden = true
  element('again').hidden = true
  element('next').replaceChildren(next)
  element('next').hidden = false
  show(title, message)
}

function showProblem(words = '', field) {
  for (const problem of document.querySelectorAll('.problem')) problem.textContent = ''
  for (const input of document.querySelectorAll('input')) input.removeAttribute('aria-invalid')
  element(field === undefined ? 'problem' : `${field}-problem`).textContent = words
  if (field === undefined) return
  element(field).setAttribute('aria-invalid', 'true')
  element(field).focus()
}

function tokenIsGone() {
  element('again').hidden = false
  if (!cameByLink) return showProblem('This token is wrong, used or expired.', 'token')
  element('act').hidden = true
  show(
    'This link no longer works',
    'It has been used already, or it has expired. You can have a new one sent to you.',
  )
}

async function act() {
  const token = element('token').value.trim()
  const answer = await send(
    'PUT',
    action.path,
    isReset ? { password: element('password').value, token } : { token },
  )
  if (answer.status === 200 && isReset)
    return done('Your new password is set', 'You are signed out everywhere: sign in with the new password.')
  if (answer.status === 200) return done('Your account is active', `Welcome, ${answer.user.name}!`)
  if (answer.status !== 422) return showProblem(problemOf(answer))
  const { password, token: tokenProblem, ...others } = answer.error
  if (password !== undefined) return showProblem(`The password ${password}.`, 'password')
  if (tokenProblem !== undefined) return tokenIsGone()
  showProblem(Object.values(others).join(', '))
}

async function askAgain() {
  const email = element('email').value.trim()
  const answer = await send('POST', action.again, { email })
  if (answer.status === 202) {
    element('act').hidden = true
    element('again').hidden = true
    return show('Look into your mailbox', `A mail with a new link is on its way to ${email}.`)
  }
  if (answer.status !== 422) return showProblem(problemOf(answer))
  const { email: problem = '' } = answer.error
  if (problem === 'user has already been activated')
    return done('Your account is active already', 'There is nothing left to do: you can sign in.')
  if (problem === 'user account must be activated')
    return done('Activate your account first', 'Then you can choose a new password.', linkTo('activate'))
  if (problem.startsWith('no matching')) return showProblem('No account has this address.', 'email')
  showProblem(`The address ${problem}.`, 'email')
}

function linkTo(page) {
  const link = document.createElement('a')
  link.href = page
  link.textContent = 'Get the mail that activates it'
  return link
}

/** One request at a time; the button keeps its focus meanwhile, which a disabled one would lose. */
function onSubmit(id, work) {
  const form = element(id)
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    if (form.ariaBusy === 'true') return
    form.ariaBusy = 'true'
    showProblem()
    await work()
    form.ariaBusy = null
  })
}

onSubmit('act', act)
onSubmit('again', askAgain)
element('show')?.addEventListener('change', ({ target }) => {
  element('password').type = target.checked ? 'text' : 'password'
})
// Another link to the page that is already open.
addEventListener('hashchange', () => {
  show(start.title, start.message)
  showProblem()
  takeToken()
})
takeToken()
