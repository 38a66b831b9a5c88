// Runs in the browser, beside swagger-ui. The token stays in the memory of the page.
const element = (id) => document.getElementById(id)
const api = new URL('.', document.baseURI).href.replace(/\/$/, '')

const dark = matchMedia('(prefers-color-scheme: dark)')
const showColours = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', showColours)
showColours()

async function showOperations() {
  const answer = await fetch('docs/json')
  if (!answer.ok) throw new Error(`docs/json answered ${answer.status}`)
  const openApi = await answer.json()
  return SwaggerUIBundle({
    // The calls go to where the page comes from, by whatever name it was reached.
    spec: { ...openApi, servers: [{ url: api }] },
    domNode: element('operations'),
    deepLinking: true,
    docExpansion: 'list',
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    validatorUrl: null,
  })
}

async function signIn(login, password) {
  const name = login.includes('@') ? { email: login } : { username: login }
  const answer = await fetch(`${api}/v1/tokens/authentication`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...name, password }),
  })
  const body = await answer.json()
  if (answer.ok) return body.authentication_token.token
  throw new Error(typeof body.error === 'string' ? body.error : Object.values(body.error).join(', '))
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
  const login = form.elements.login.value.trim()
  try {
    const token = await signIn(login, form.elements.password.value)
    ;(await ui).preauthorizeApiKey('token', token)
    form.reset()
    showSignedIn(login)
    showProblem()
  } catch (error) {
    showProblem(error)
  }
})

element('sign-out').addEventListener('submit', async (event) => {
  event.preventDefault()
  ;(await ui).authActions.logout(['token'])
  showSignedIn()
})
