/** The parts of movies, most common first: as in real titles, a word's frequency falls with its position. */
export const titleWords =
  'the of a and in love to night man my on day girl life for with last house black dead blood little good time big story red world one death dark city heart white is lost boy blue king you war no secret from high wild first street great island summer woman road home dream fire star moon river christmas green school wedding american young murder long water brother beautiful happy devil mother father children family golden return escape party dance music ghost silent broken shadow stranger winter rain under beyond after before without never paradise garden mountain desert ocean bridge train station hotel mirror window letter promise game play run hunter soldier captain queen prince lady doctor detective thief killer angel monster dragon wolf horse dog cat bird spider snake flower rose tree forest stone iron silver paper glass'.split(
    ' ',
  )

/** Rarer words combine two or three of these. */
export const syllables =
  'ka ri to mel san vor lin ga ne ro del mi sha tur ban os pel ze fen wa lo cor dri hal mon tes ul bi ran so jo vek ar nim qua pol yar gus hem ti'.split(
    ' ',
  )

export const firstNames =
  'John Mary James Anna Robert Sofia Michael Emma David Laura Peter Maria Paul Julia George Helen Frank Alice Jean Claire Akira Yuki Hiro Mei Wei Li Raj Priya Amit Leila Omar Fatima Ali Nadia Ivan Olga Boris Elena Pedro Carmen Luis Lucia Marco Chiara Hans Greta Lars Ingrid Sven Freya Kofi Ama Zola Thabo Ingmar Agnès François Zoë Björn Élodie'.split(
    ' ',
  )

export const genres =
  'drama,comedy,documentary,romance,action,thriller,crime,horror,adventure,family,animation,mystery,fantasy,history,music,science fiction,war,western,sport,movie noir'.split(
    ',',
  )

/** Number of different words in titles. */
export const VOCABULARY = 20_000
