import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { BROWSER_TIMEOUT_MS, hasBrowser } from '../support/browser'
import {
  addressIn,
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
  titles,
} from '../support/console'
import { aMovie, type TestUser } from '../support/server'
import { until } from '../support/until'

setDefaultTimeout(BROWSER_TIMEOUT_MS)

const { server, open } = consoleInBrowser()
let ana: TestUser
beforeAll(async () => {
  if (hasBrowser) ana = await server().newUser({ name: 'Ana' })
})
const searchbox = (page: Page) => page.getByRole('searchbox', { name: 'Search movies' })
const genre = (page: Page, name: RegExp) => page.getByRole('checkbox', { name })
const add = (body: Record<string, unknown>, token = ana.token) =>
  server().request<{ movie: { id: number } }>('POST', '/v1/movies', { token, body })

describe.skipIf(!hasBrowser)('the list', () => {
  test('is searched while one types, and one step back undoes a typing', async () => {
    const opened = await open('/', ana)
    const { page } = opened
    await count(page, '120 movies')
    await page.keyboard.press('/')
    expect(await focused(page)).toBe('Search movies')
    await page.keyboard.type('seven sa', { delay: 40 })
    await found(page, 'seven sa')
    expect((await titles(page))[0]).toBe('Seven Samurai')
    await page.keyboard.type('mu', { delay: 300 })
    await found(page, 'seven samu')
    expect(await focused(page)).toBe('Search movies')
    await page.goBack()
    await count(page, '120 movies')
    expect(await searchbox(page).inputValue()).toBe('')
    await page.goForward()
    await found(page, 'seven samu')
    await searchbox(page).press('Escape')
    await count(page, '120 movies')
    await link(page, 'My movies').click()
    await heading(page, 'My movies')
    await searchbox(page).pressSequentially('moana')
    await heading(page, 'Movies')
    await found(page, 'moana')
    expect(await focused(page)).toBe('Search movies')
    expect(addressIn(page)).toBe('/?q=moana')
    noProblems(opened)
  })

  test('says of what is shown how much it is, and keeps its place', async () => {
    const opened = await open('/', ana)
    const { page } = opened
    await count(page, '120 movies')
    const first = page.getByRole('list', { name: 'Movies' }).getByRole('link').first()
    const place = async () => (await first.boundingBox())?.y
    const before = await place()
    const held: (() => Promise<void>)[] = []
    await page.route('**/v1/movies?*', (route) => {
      held.push(() => route.continue())
    })
    await searchbox(page).fill('moana')
    await until(() => held.length > 0)
    await page.locator('[aria-busy="true"]').first().waitFor()
    await count(page, '120 movies')
    await button(page, 'Clear filters').waitFor()
    expect(await place()).toBe(before)
    for (const go of held) await go()
    await found(page, 'moana')
    expect(await place()).toBe(before)
    noProblems(opened)
  })

  test('takes nobody back who goes elsewhere before the search begins', async () => {
    const { page } = await open('/favourites', ana)
    await page.getByText('No favourites yet.').waitFor()
    await page.clock.install()
    await page.clock.pauseAt(Date.now() + 60_000)
    await searchbox(page).fill('moana')
    await link(page, 'My movies').click()
    await heading(page, 'My movies')
    await page.clock.runFor(1000)
    expect(addressIn(page)).toBe('/my-movies')
    expect(await searchbox(page).inputValue()).toBe('')
  })

  test('is searched from a changed form only once one asks for it', async () => {
    const opened = await open('/movies/new', ana)
    const { page } = opened
    await textbox(page, 'Title').fill('Unsaved')
    await page.clock.install()
    await page.clock.pauseAt(Date.now() + 60_000)
    await searchbox(page).fill('mo')
    await page.clock.runFor(1000)
    await searchbox(page).fill('moana')
    await page.clock.runFor(1000)
    expect(await page.getByRole('dialog').count()).toBe(0)
    await page.clock.resume()
    const dialog = page.getByRole('dialog', { name: 'Leave without saving?' })
    await searchbox(page).press('Enter')
    await button(dialog, 'Stay').click()
    expect(await searchbox(page).inputValue()).toBe('moana')
    await searchbox(page).press('Enter')
    await button(dialog, 'Leave').click()
    await found(page, 'moana')
    noProblems(opened)
  })

  test('is filtered, sorted and paged by its address, which a reload and a friend share', async () => {
    const opened = await open('/', ana)
    const { page } = opened
    await genre(page, /^animation \d+$/i).check()
    await genre(page, /^adventure \d+$/i).check()
    await page.waitForURL('**/?genres=animation%2Cadventure')
    await page.keyboard.press('/')
    expect(await focused(page)).toBe('Search movies')
    await textbox(page, 'From year').fill('2000')
    await page.waitForURL(/year_from=2000/)
    await page.getByRole('combobox', { name: 'Sort by' }).selectOption('Title')
    await page.waitForURL(/sort=title/)
    const expected = await server().request<{ movies: { title: string }[] }>(
      'GET',
      '/v1/movies?genres=animation,adventure&year_from=2000&sort=title&page_size=100',
      { token: ana.token },
    )
    const names = expected.body.movies.map(({ title }) => title)
    await count(page, `${names.length} movies`)
    await page.reload()
    await count(page, `${names.length} movies`)
    expect(await titles(page)).toEqual(names)
    expect(await genre(page, /^adventure/i).isChecked()).toBe(true)
    expect(await textbox(page, 'From year').inputValue()).toBe('2000')
    await textbox(page, 'To year').fill('1')
    await textbox(page, 'To year').blur()
    expect(await textbox(page, 'To year').getAttribute('aria-invalid')).toBe('true')
    await page
      .getByRole('textbox', { description: 'A year has four digits. This filter is still off.' })
      .waitFor()
    await textbox(page, 'From year').fill('201')
    const place = async () => (await genre(page, /^animation/i).boundingBox())?.y
    const before = await place()
    await textbox(page, 'From year').blur()
    await page.getByText('A year has four digits. This filter is still 2000.').waitFor()
    expect(await place()).toBe(before)
    await button(page, 'Clear filters').click()
    await count(page, '120 movies')
    // What was pressed is gone.
    expect(await focused(page)).toBe('Movies')

    const pages = page.getByRole('navigation', { name: 'Pages' })
    await pages.getByText('Page 1 of 3').waitFor()
    await link(pages, 'Next page').click()
    await pages.getByText('Page 2 of 3').waitFor()
    expect(await focused(page)).toBe('Movies')
    await link(pages, 'Next page').click()
    await pages.getByText('Page 3 of 3').waitFor()
    await page.goBack()
    await pages.getByText('Page 2 of 3').waitFor()
    await link(pages, 'Previous page').click()
    await pages.getByText('Page 1 of 3').waitFor()
    expect(addressIn(page)).toBe('/?sort=title')
    noProblems(opened)
  })

  test('says what it can when there is nothing to show', async () => {
    const opened = await open('/?q=zzzzqqqq', ana)
    const { page } = opened
    await page.getByText('No movie matches.').waitFor()
    await button(page, 'Clear filters').last().click()
    await count(page, '120 movies')
    await page.goto(`${server().url}?page=99`)
    await page.getByText('This page is past the end.').waitFor()
    await link(page, 'Last page').click()
    await page.getByText('Page 3 of 3').waitFor()
    await page.goto(`${server().url}?year_from=abc&sort=size`)
    await page.getByText('There is no such list.').waitFor()
    await button(page, 'Clear filters').last().click()
    await count(page, '120 movies')
    expect(addressIn(page)).toBe('/')
    await page.goto(`${server().url}?sort=-title&genres=animation`)
    await button(page, 'Clear filters').click()
    await count(page, '120 movies')
    expect(addressIn(page)).toBe('/?sort=-title')
    const sorts = page.getByRole('combobox', { name: 'Sort by' })
    expect(await sorts.locator('option:checked').textContent()).toBe('Title, from the end')
    const held: (() => Promise<void>)[] = []
    await page.route('**/v1/users/me/favourites?*', (route) => {
      held.push(() => route.continue())
    })
    await page.goto(`${server().url}favourites`)
    await until(() => held.length > 0)
    expect(await sorts.or(page.getByRole('textbox', { name: 'From year' })).count()).toBe(0)
    for (const go of held) await go()
    await page.getByText('No favourites yet. Press the heart on a movie to keep it here.').waitFor()
    await page.goto(`${server().url}my-movies`)
    await page.getByText('You haven’t added a movie yet.').waitFor()
    await link(page.getByRole('main'), 'Add a movie').click()
    await heading(page, 'Add a movie')
    noProblems(opened)
  })

  test('keeps the place that one scrolled to', async () => {
    const { page } = await open('/', ana)
    await page.getByText('Page 1 of 3').scrollIntoViewIfNeeded()
    const y = await page.evaluate('scrollY')
    expect(y).toBeGreaterThan(300)
    await page.getByRole('list', { name: 'Movies' }).getByRole('link').last().click()
    await page.getByRole('article').waitFor()
    expect(await page.evaluate('scrollY')).toBe(0)
    await page.goBack()
    await until(async () => (await page.evaluate('scrollY')) === y)
  })
})

describe.skipIf(!hasBrowser)('a movie', () => {
  test('has a page whose facts lead to lists', async () => {
    const opened = await open('/movies/1', ana)
    const { page } = opened
    await heading(page, 'Moana')
    expect(await page.title()).toBe('Moana · Redlight')
    for (const text of ['107 min', '23 November 2016', 'Redlight'])
      await page.getByText(text, { exact: true }).last().waitFor()
    expect(await button(page, 'Delete').or(link(page, 'Edit')).count()).toBe(0)
    await link(page, 'Dwayne Johnson').click()
    await heading(page, 'Movies')
    await button(page, /Remove the filter: With Dwayne Johnson/).click()
    await count(page, '120 movies')
    expect(await focused(page)).toBe('Movies')
    await page.goBack()
    await page.goBack()
    await heading(page, 'Moana')
    await link(page, 'animation').click()
    await heading(page, 'Movies')
    expect(await genre(page, /^animation/i).isChecked()).toBe(true)
    await page.goBack()
    await link(page, '2016').click()
    expect(await textbox(page, 'From year').inputValue()).toBe('2016')
    noProblems(opened)
  })

  test('that is not there says so, as does a page that is not', async () => {
    const { page } = await open('/movies/99999', ana)
    await heading(page, 'Movie not found')
    await link(page, 'Browse movies').click()
    await count(page, '120 movies')
    await page.goto(`${server().url}nothing/here`)
    await heading(page, 'Page not found')
    await page.goto(`${server().url}movies/abc`)
    await heading(page, 'Page not found')
  })
})

describe.skipIf(!hasBrowser)('whatever a title is', () => {
  const hostile = {
    script: '<img src=x onerror="document.title=1"><script>alert(1)</script>',
    quotes: `"'\`&amp; \${title}`,
    rtl: 'وجدة \u202Eeivom',
    emoji: '👩‍👩‍👧‍👦🎬'.repeat(8),
    long: 'Llanfair'.repeat(62).slice(0, 500),
    control: 'Bell\u0007 and \u001B[31mred',
  }
  beforeAll(async () => {
    if (!hasBrowser) return
    const genres = ['<b>bold</b>', 'x'.repeat(50)]
    for (const title of Object.values(hostile))
      expect(
        (
          await add({
            ...aMovie(title, { genres }),
            director: title,
            cast: [[...title].slice(0, 150).join('')],
            synopsis: title,
          })
        ).status,
      ).toBe(201)
  })

  test('it is shown as it is, and breaks nothing', async () => {
    const eve = await server().newUser({ name: '<script>alert(2)</script>' })
    await add(aMovie('By Eve'), eve.token)
    const opened = await open('/my-movies', ana)
    const { page } = opened
    await count(page, '6 movies')
    expect((await titles(page, 'My movies')).toSorted()).toEqual(Object.values(hostile).toSorted())
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(1280)
    for (const title of Object.values(hostile)) {
      await page.getByRole('list', { name: 'My movies' }).getByRole('link').filter({ hasText: title }).click()
      await page.getByRole('article').waitFor()
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(title)
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(1280)
      await page.goBack()
    }
    // The words after the title are read from left to right again.
    await button(page, `Favourite ${hostile.rtl}`).click()
    await notice(page, `“\u2068${hostile.rtl}\u2069” is one of your favourites now.`)
    await page.goto(`${server().url}?sort=-id`)
    await page.getByRole('link', { name: /By Eve/ }).click()
    await page.getByText('<script>alert(2)</script>').waitFor()
    noProblems(opened)
  })
})
