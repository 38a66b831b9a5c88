// Runs in the browser, beside swagger-ui. The session is shared with the console (src/console/session.ts).
const element = (id) => document.getElementById(id)
const api = new URL('.', document.baseURI).href.replace(/\/$/, '')

const dark = matchMedia('(prefers-color-scheme: dark)')
const showColours = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', showColours)
showColours()

/** A part of the document with its references, all of which are local, replaced by what they refer to. */
function resolved(part, openApi) {
  if (Array.isArray(part)) return part.map((one) => resolved(one, openApi))
  if (part === null || typeof part !== 'object') return part
  if (typeof part.$ref === 'string') return resolved(partAt(part.$ref.split('/').slice(1), openApi), openApi)
  return Object.fromEntries(Object.entries(part).map(([name, one]) => [name, resolved(one, openApi)]))
}
const partAt = (path, openApi) => path.reduce((part, name) => part?.[name], openApi)

/** swagger-ui would read the whole document again for each operation that is opened, which takes a second. */
const resolver = (openApi) => () => ({
  statePlugins: {
    spec: {
      wrapActions: {
        requestResolvedSubtree:
          (_, { specActions }) =>
          (path) =>
            specActions.updateResolvedSubtree(path, resolved(partAt(path, openApi), openApi)),
      },
    },
  },
})

async function showOperations() {
  const answer = await fetch('docs/json')
  if (!answer.ok) throw new Error(`docs/json answered ${answer.status}`)
  const openApi = await answer.json()
  return SwaggerUIBundle({
    // Calls go to the page's own origin.
    spec: { ...openApi, servers: [{ url: api }] },
    plugins: [resolver(openApi)],
    domNode: element('operations'),
    deepLinking: true,
    docExpansion: 'list',
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    validatorUrl: null,
  })
}

const KEY = 'redlight.session'
const channel = new BroadcastChannel('redlight')

async function signIn(login, password) {
  const name = login.includes('@') ? { email: login } : { username: login }
  const answer = await fetch(`${api}/v1/tokens/authentication`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...name, password }),
  })
  const body = await answer.json()
  if (answer.ok) return body.authentication_token
  throw new Error(typeof body.error === 'string' ? body.error : Object.values(body.error).join(', '))
}

function storedSession() {
  for (const store of [sessionStorage, localStorage]) {
    try {
      const session = JSON.parse(store.getItem(KEY))
      if (Date.parse(session?.expiry) > Date.now()) return session
    } catch {
      store.removeItem(KEY)
    }
  }
}

/** The token in use; the console may have replaced the stored one already. */
let used
/** Calls carry the token from now on; the page says whose it is. */
async function useSession({ token }) {
  used = token
  ;(await ui).preauthorizeApiKey('token', token)
  const answer = await fetch(`${api}/v1/users/me`, { headers: { Authorization: `Bearer ${token}` } })
  const { user } = await answer.json()
  showSignedIn(user?.email ?? 'Signed in')
}

async function forgetSession() {
  used = undefined
  ;(await ui).authActions.logout(['token'])
  showSignedIn()
}

function showSignedIn(login) {
  element('who').textContent = login ?? ''
  element('sign-in').hidden = login !== undefined
  element('sign-out').hidden = login === undefined
}

const ui = showOperations()
const showProblem = (error) => {
  element('sign-in-problem').textContent = error?.message ?? ''
}
ui.catch(showProblem)

// swagger-ui looks at the address only once.
for (const link of document.querySelectorAll('#start a[href^="#/"]'))
  link.addEventListener('click', async (event) => {
    event.preventDefault()
    const [, tag, id] = link.hash.split('/')
    const { layoutActions } = await ui
    layoutActions.show(['operations', tag, id], true)
    const block = element(`operations-${tag}-${id}`)
    block.scrollIntoView()
    block.querySelector('.opblock-summary-control').focus({ preventScroll: true })
  })

element('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault()
  const form = event.target
  try {
    const session = await signIn(form.elements.login.value.trim(), form.elements.password.value)
    sessionStorage.setItem(KEY, JSON.stringify(session))
    channel.postMessage({ session })
    await useSession(session)
    form.reset()
    showProblem()
  } catch (error) {
    showProblem(error)
  }
})

element('sign-out').addEventListener('submit', async (event) => {
  event.preventDefault()
  sessionStorage.removeItem(KEY)
  localStorage.removeItem(KEY)
  channel.postMessage({ end: used })
  await forgetSession()
})

channel.addEventListener('message', ({ data }) => {
  const own = storedSession()
  if (data.end !== undefined && data.end === used) {
    sessionStorage.removeItem(KEY)
    forgetSession()
  } else if (data.renewed && data.renewed.old === used) {
    if (sessionStorage.getItem(KEY)) sessionStorage.setItem(KEY, JSON.stringify(data.renewed.session))
    useSession(data.renewed.session)
  } else if (data.ask && own) channel.postMessage({ session: own })
  else if (data.session && !own) {
    sessionStorage.setItem(KEY, JSON.stringify(data.session))
    useSession(data.session)
  }
})

const session = storedSession()
if (session) useSession(session).catch(showProblem)
else channel.postMessage({ ask: true })
