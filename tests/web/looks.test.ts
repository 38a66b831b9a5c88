import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { violations } from '../support/axe'
import { BROWSER_TIMEOUT_MS, hasBrowser, type Look, looks, shoot, tooWide } from '../support/browser'
import {
  button,
  consoleInBrowser,
  count,
  focused,
  found,
  heading,
  link,
  noProblems,
  notice,
  textbox,
} from '../support/console'
import { aMovie, type TestUser } from '../support/server'

setDefaultTimeout(BROWSER_TIMEOUT_MS)

const { server, open, addressOf, giveSession } = consoleInBrowser()
let admin: TestUser
let pages: Record<string, string>
beforeAll(async () => {
  if (!hasBrowser) return
  admin = await server().newUser({ name: 'Ana', permissions: ['movies:read', 'movies:write', 'admin'] })
  const token = admin.token
  const added = await server().request<{ movie: { id: number } }>('POST', '/v1/movies', {
    token,
    body: aMovie('My Holiday', { cast: ['A. Friend', 'Another'], synopsis: 'Rain.' }),
  })
  const long = await server().request<{ movie: { id: number } }>('POST', '/v1/movies', {
    token,
    body: aMovie('Llanfairpwllgwyngyll'.repeat(20), {
      genres: ['x'.repeat(50)],
      director: 'y'.repeat(150),
      cast: ['z'.repeat(150)],
      synopsis: 'w'.repeat(500),
    }),
  })
  await server().request('POST', '/v1/keys', { token, body: { name: 'TV' } })
  for (const id of [1, 3, 4]) await server().request('PUT', `/v1/users/me/favourites/${id}`, { token })
  await server().newUser({ name: 'Bob', activated: false })
  const { id } = added.body.movie
  pages = {
    '/': 'Movies',
    '/?genres=drama&q=zzzz': 'Movies',
    '/favourites': 'Favourites',
    '/my-movies': 'My movies',
    '/movies/1': 'Moana',
    [`/movies/${id}`]: 'My Holiday',
    [`/movies/${long.body.movie.id}`]: 'Llanfairpwllgwyngyll'.repeat(20),
    '/movies/new': 'Add a movie',
    [`/movies/${id}/edit`]: 'Edit “My Holiday”',
    '/movies/1/edit': 'Edit “Moana”',
    '/account': 'Your account',
    '/admin/users': 'Users',
    [`/admin/users/${admin.id}`]: 'Ana',
    '/admin/movies': 'All movies',
    '/admin/audit': 'Audit trail',
    '/admin/figures': 'Figures',
    '/movies/99999': 'Movie not found',
    '/nothing': 'Page not found',
  }
})
const entrance: Record<string, string> = {
  '/sign-in': 'Sign in',
  '/register': 'Create an account',
  '/forgot-password': 'Forgot your password?',
  '/activate': 'Activate your account',
  '/confirm-email': 'Confirm your new email',
  '/reset-password#token=AAAAAAAAAAAAAAAAAAAAAAAAAA': 'Choose a new password',
}

/** Goes to each page, once it shows its heading and all it asks for. */
async function visitAll(page: Page, paths: Record<string, string>, look: (path: string) => Promise<void>) {
  for (const [path, name] of Object.entries(paths)) {
    await page.goto('about:blank')
    await page.goto(addressOf(path))
    await heading(page, name)
    await page.locator('.skeleton, .loading, [aria-busy="true"]').first().waitFor({ state: 'detached' })
    await look(path)
  }
}
/** Links and controls of less than 24 pixels. */
const tooSmall = (page: Page) =>
  page.evaluate<string[]>(`[...document.querySelectorAll('a, button, input, select, summary')]
    .filter((target) => {
      const { width, height } = target.getBoundingClientRect()
      return width > 0 && Math.min(width, height) < 24 && !target.matches('.skip, input[type="checkbox"]')
    })
    .map(({ ariaLabel, textContent }) => ariaLabel ?? textContent)`)

/** Titles that reach out of their tile, and short cells of tables that are broken into several lines. */
const cutOff = (page: Page) =>
  page.evaluate<string[]>(`(() => {
    const boxOf = (element) => {
      const range = document.createRange()
      range.selectNodeContents(element)
      return range
    }
    const titles = [...document.querySelectorAll('.tile-title')].filter((title) => {
      const { bottom, height } = title.getBoundingClientRect()
      const lines = title.clientHeight / parseFloat(getComputedStyle(title).lineHeight)
      return height > 0 && lines < 6 && boxOf(title).getBoundingClientRect().bottom > bottom + 3
    })
    const cells = [...document.querySelectorAll('th:not([scope="row"]), td:not(.text)')].filter(
      (cell) => cell.childElementCount === 0 && boxOf(cell).getClientRects().length > 1,
    )
    return [...titles, ...cells].map(({ textContent }) => textContent)
  })()`)
const [, , phone] = looks
const nameOf = (path: string) => path.replace(/[^a-z0-9]+/gi, '-').replace(/^-|-$/g, '') || 'list'

describe.skipIf(!hasBrowser)('each page', () => {
  // In the dark on a phone, the colours are those of the dark and the layout is that of the phone.
  test.each(looks.filter(({ name }) => name !== 'phone-dark'))(
    'shuts nobody out, and fits the screen: $name',
    async (look) => {
      const opened = await open('/sign-in', undefined, look)
      const { page } = opened
      const broken: string[] = []
      const check = async (path: string) => {
        await shoot(page, `console-${look.name}-${nameOf(path)}`)
        if ((await tooWide(page)) !== 0) broken.push(`${path} is too wide`)
        broken.push(...(await cutOff(page)).map((text) => `${path} cuts off ${text}`))
        broken.push(...(await tooSmall(page)).map((text) => `${path} has a small ${text}`))
        broken.push(...(await violations(page)))
      }
      await visitAll(page, entrance, check)
      await giveSession(page, admin)
      await visitAll(page, pages, check)
      expect(broken).toEqual([])
      noProblems(opened)
    },
  )

  test('fits 320 pixels, and letters of twice the size', async () => {
    const narrow: Look = { name: 'narrow', colorScheme: 'light', viewport: { width: 320, height: 640 } }
    const wide: string[] = []
    const { page } = await open('/docs/json', undefined, narrow)
    const measure = async (path: string) => {
      if ((await tooWide(page)) !== 0) wide.push(`${path} at 320 px`)
      await page.setViewportSize({ width: 640, height: 700 })
      await page.evaluate('document.documentElement.style.fontSize = "200%"')
      if ((await tooWide(page)) !== 0) wide.push(`${path} at 200 %`)
      await page.setViewportSize({ width: 320, height: 640 })
    }
    await visitAll(page, entrance, measure)
    await giveSession(page, admin)
    await visitAll(page, pages, measure)
    expect(wide).toEqual([])
  })

  test('keeps still, and has edges, for those who ask for it', async () => {
    const { page } = await open('/', admin)
    await page.emulateMedia({ reducedMotion: 'reduce', forcedColors: 'active' })
    await count(page, '122 movies')
    expect(await page.evaluate('getComputedStyle(document.querySelector(".tile")).transitionDuration')).toBe(
      '0s',
    )
    expect(await page.evaluate('getComputedStyle(document.querySelector(".tile")).borderTopStyle')).toBe(
      'solid',
    )
    expect(
      await page.evaluate('getComputedStyle(document.querySelector(".chip > span")).borderTopStyle'),
    ).toBe('solid')
    await page.getByRole('group', { name: 'Genres' }).getByRole('checkbox').first().check()
    await page.waitForURL(/genres=/)
    const style = (of: string, name: string) =>
      page.evaluate<string>(`getComputedStyle(document.querySelector('${of}'))['${name}']`)
    expect(await style('.chip :checked + span', 'backgroundColor')).not.toBe(
      await style('.chip :not(:checked) + span', 'backgroundColor'),
    )
    expect(await style('.bar [aria-current]', 'borderBottomColor')).not.toBe(
      await style('.bar nav a:not([aria-current])', 'borderBottomColor'),
    )
    expect(await page.evaluate('getComputedStyle(document.querySelector(".tile"), "::after").display')).toBe(
      'none',
    )
    await shoot(page, 'console-forced-colours')
  })

  test('shows a poster whole on a phone, and a heart on a white one', async () => {
    const { page } = await open('/', admin, phone)
    await page.route('https://posters.example/*', (route) =>
      route.fulfill({
        contentType: 'image/svg+xml',
        body: '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="900"><rect width="600" height="900" fill="#fff" stroke="red" stroke-width="40"/></svg>',
      }),
    )
    await page.route(/\/v1\/movies(\/1)?(\?|$)/, async (route) => {
      const response = await route.fetch()
      const body = await response.json()
      for (const movie of body.movies ?? [body.movie]) movie.poster = 'https://posters.example/white.svg'
      await route.fulfill({ json: body })
    })
    await page.reload()
    await page.locator('.poster').first().waitFor()
    const fill = await page.evaluate(
      `getComputedStyle(document.querySelector('.heart[aria-pressed="false"] path')).fill`,
    )
    const level = 1 - Number(/^rgba\(0, 0, 0, ([\d.]+)\)$/.exec(String(fill))?.[1])
    // The contrast to white, by WCAG.
    expect(1.05 / (((level + 0.055) / 1.055) ** 2.4 + 0.05)).toBeGreaterThan(3)
    await shoot(page, 'console-phone-posters')
    await page.goto(addressOf('/movies/1'))
    const box = await page.locator('.poster').boundingBox()
    await shoot(page, 'console-phone-poster')
    expect((box?.width ?? 0) / (box?.height ?? 1)).toBeCloseTo(2 / 3, 2)
  })

  test('shows little of a long notice, and keeps the place of the next', async () => {
    const narrow: Look = { name: 'narrow', colorScheme: 'light', viewport: { width: 320, height: 640 } }
    const { page } = await open('/my-movies', admin, narrow)
    const region = page.getByRole('status', { name: 'Notifications' })
    expect(await region.count()).toBe(1)
    await button(page, /^Favourite Llanfair/).click()
    await notice(page, 'is one of your favourites now.')
    expect((await region.boundingBox())?.height).toBeLessThan(160)
    await shoot(page, 'console-long-notice')
  })
})

describe.skipIf(!hasBrowser)('dialogues', () => {
  test('shut nobody out either, and give the focus back', async () => {
    const { page } = await open('/account', admin)
    await button(page, 'Revoke TV').click()
    await page.getByRole('dialog', { name: 'Revoke “TV”?' }).waitFor()
    expect(await violations(page)).toEqual([])
    await page.keyboard.press('Escape')
    expect(await focused(page)).toBe('Revoke TV')
  })
})

describe.skipIf(!hasBrowser)('without a mouse', () => {
  test('a movie is found, opened, kept and left', async () => {
    const { page } = await open('/', admin)
    await count(page, '122 movies')
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('Skip to the content')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id + location.hash')).toBe('main')
    await page.keyboard.press('/')
    await page.keyboard.type('amélie')
    await found(page, 'amélie')
    const tabTo = async (name: RegExp) => {
      for (let presses = 0; presses < 60 && !name.test(await focused(page)); presses++)
        await page.keyboard.press('Tab')
      expect(await focused(page)).toMatch(name)
    }
    await tabTo(/^Amélie 2001/)
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('Favourite Amélie')
    await page.keyboard.press('Space')
    await page.locator('[aria-label="Favourite Amélie"][aria-pressed="true"]').waitFor()
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Enter')
    await heading(page, 'Amélie')
    expect(await focused(page)).toBe('Amélie')
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('2001')
    await page.goBack()
    await found(page, 'amélie')
    expect(await focused(page)).toBe('Movies')
    expect(await link(page, 'Movies').getAttribute('aria-current')).toBe('page')
    expect(await textbox(page, 'From year').isVisible()).toBe(true)
  })
})

const PICTURE = 'docs/console.jpg'
const MOST_BYTES = 300_000

test.skipIf(!hasBrowser)(
  'the picture in the README is small, and is made here: UPDATE_PICTURE=1',
  async () => {
    const root = join(import.meta.dir, '../..')
    const { page } = await open('/', admin)
    await count(page, '122 movies')
    await page.evaluate('document.fonts.ready')
    const picture = await page.screenshot({ type: 'jpeg', quality: 82 })
    if (process.env.UPDATE_PICTURE) await Bun.write(join(root, PICTURE), picture)
    expect(picture.length).toBeLessThan(MOST_BYTES)
    expect(Bun.file(join(root, PICTURE)).size).toBeLessThan(MOST_BYTES)
    expect(await Bun.file(join(root, 'README.md')).text()).toContain(`](${PICTURE})`)
  },
)
