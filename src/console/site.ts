const { dataset } = document.querySelector<HTMLElement>('#console') ?? document.body
const is = (name: string) => dataset[name] === 'true'

/** What the service says of itself on the page (src/web/console-page.ts). */
export const site = {
  /** Whose site it is. */
  name: dataset.name ?? 'Redlight',
  /** False: only the pages behind mails are served here. */
  hasCatalogue: is('catalogue'),
  /** Posters come from other hosts. */
  hasPosters: is('posters'),
  /** Movies may be read without signing in. */
  isOpen: is('open'),
  /** The address where accounts are used; empty if that is here. */
  home: dataset.home ?? '',
}
