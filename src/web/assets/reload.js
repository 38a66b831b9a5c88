// Loads the page again if its script or a part of that is missing: during an upgrade, they may come from instances of
// different versions. Waits longer each time, for 16 s in all.
const MOST = 5

addEventListener(
  'error',
  ({ target }) => {
    if (!(target instanceof HTMLScriptElement)) return
    const times = history.state?.reloads ?? 0
    if (times < MOST) {
      history.replaceState({ ...history.state, reloads: times + 1 }, '')
      setTimeout(() => location.reload(), 500 * 2 ** times)
      return
    }
    const sentence = document.createElement('p')
    sentence.role = 'alert'
    sentence.textContent = 'The page could not be loaded. Reload it to try again.'
    document.body.append(sentence)
  },
  // It doesn't bubble.
  true,
)
