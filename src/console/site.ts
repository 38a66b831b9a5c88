const { dataset } = document.querySelector<HTMLElement>('#console') ?? document.body
const is = (name: string) => dataset[name] === 'true'

/** Settings of the service, from the page (src/web/console-page.ts). */
export const site = {
  /** SITE_NAME. */
  name: dataset.name ?? 'Redlight',
  /** False if only the pages that emails link to are served. */
  hasCatalogue: is('catalogue'),
  /** Whether posters are shown, which come from other hosts. */
  hasPosters: is('posters'),
  /** Whether movies may be read without signing in. */
  isOpen: is('open'),
  /** SITE_URL, if accounts are used elsewhere; else empty. */
  home: dataset.home ?? '',
}
