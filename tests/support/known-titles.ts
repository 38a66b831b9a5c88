/** Well-known movies: title, year, director. */
export const knownMovies: readonly (readonly [title: string, year: number, director: string])[] = `
The Godfather|1972|Francis Ford Coppola
The Godfather Part II|1974|Francis Ford Coppola
The Godfather Part III|1990|Francis Ford Coppola
Apocalypse Now|1979|Francis Ford Coppola
The Shawshank Redemption|1994|Frank Darabont
The Green Mile|1999|Frank Darabont
Schindler's List|1993|Steven Spielberg
Jaws|1975|Steven Spielberg
Jurassic Park|1993|Steven Spielberg
Saving Private Ryan|1998|Steven Spielberg
E.T. the Extra-Terrestrial|1982|Steven Spielberg
Close Encounters of the Third Kind|1977|Steven Spielberg
Raiders of the Lost Ark|1981|Steven Spielberg
Pulp Fiction|1994|Quentin Tarantino
Inglourious Basterds|2009|Quentin Tarantino
Reservoir Dogs|1992|Quentin Tarantino
Kill Bill: Vol. 1|2003|Quentin Tarantino
Kill Bill: Vol. 2|2004|Quentin Tarantino
Se7en|1995|David Fincher
Fight Club|1999|David Fincher
The Girl with the Dragon Tattoo|2011|David Fincher
The Social Network|2010|David Fincher
The Lord of the Rings: The Fellowship of the Ring|2001|Peter Jackson
The Lord of the Rings: The Two Towers|2002|Peter Jackson
The Lord of the Rings: The Return of the King|2003|Peter Jackson
The Hobbit: An Unexpected Journey|2012|Peter Jackson
King Kong|2005|Peter Jackson
Star Wars|1977|George Lucas
The Empire Strikes Back|1980|Irvin Kershner
Return of the Jedi|1983|Richard Marquand
The Matrix|1999|Lana Wachowski, Lilly Wachowski
The Matrix Reloaded|2003|Lana Wachowski, Lilly Wachowski
The Matrix Revolutions|2003|Lana Wachowski, Lilly Wachowski
Inception|2010|Christopher Nolan
Interstellar|2014|Christopher Nolan
The Dark Knight|2008|Christopher Nolan
The Dark Knight Rises|2012|Christopher Nolan
Memento|2000|Christopher Nolan
Spider-Man|2002|Sam Raimi
Spider-Man 2|2004|Sam Raimi
X-Men|2000|Bryan Singer
The Usual Suspects|1995|Bryan Singer
Terminator 2: Judgment Day|1991|James Cameron
Titanic|1997|James Cameron
Aliens|1986|James Cameron
Alien|1979|Ridley Scott
Blade Runner|1982|Ridley Scott
Gladiator|2000|Ridley Scott
Thelma & Louise|1991|Ridley Scott
Alien³|1992|David Fincher
Goodfellas|1990|Martin Scorsese
Taxi Driver|1976|Martin Scorsese
Raging Bull|1980|Martin Scorsese
The Departed|2006|Martin Scorsese
Psycho|1960|Alfred Hitchcock
Vertigo|1958|Alfred Hitchcock
Rear Window|1954|Alfred Hitchcock
North by Northwest|1959|Alfred Hitchcock
2001: A Space Odyssey|1968|Stanley Kubrick
A Clockwork Orange|1971|Stanley Kubrick
The Shining|1980|Stanley Kubrick
Full Metal Jacket|1987|Stanley Kubrick
Dr. Strangelove|1964|Stanley Kubrick
Eyes Wide Shut|1999|Stanley Kubrick
Amélie|2001|Jean-Pierre Jeunet
Léon: The Professional|1994|Luc Besson
The Fifth Element|1997|Luc Besson
La Haine|1995|Mathieu Kassovitz
Das Boot|1981|Wolfgang Petersen
Run Lola Run|1998|Tom Tykwer
Good Bye, Lenin!|2003|Wolfgang Becker
Life Is Beautiful|1997|Roberto Benigni
Cinema Paradiso|1988|Giuseppe Tornatore
La Dolce Vita|1960|Federico Fellini
8½|1963|Federico Fellini
Spirited Away|2001|Hayao Miyazaki
Princess Mononoke|1997|Hayao Miyazaki
My Neighbor Totoro|1988|Hayao Miyazaki
Howl's Moving Castle|2004|Hayao Miyazaki
Kiki's Delivery Service|1989|Hayao Miyazaki
Grave of the Fireflies|1988|Isao Takahata
Rashomon|1950|Akira Kurosawa
Yojimbo|1961|Akira Kurosawa
Parasite|2019|Bong Joon-ho
Oldboy|2003|Park Chan-wook
In the Mood for Love|2000|Wong Kar-wai
Crouching Tiger, Hidden Dragon|2000|Ang Lee
Brokeback Mountain|2005|Ang Lee
Life of Pi|2012|Ang Lee
The Silence of the Lambs|1991|Jonathan Demme
Philadelphia|1993|Jonathan Demme
Forrest Gump|1994|Robert Zemeckis
Back to the Future|1985|Robert Zemeckis
Back to the Future Part II|1989|Robert Zemeckis
Cast Away|2000|Robert Zemeckis
Eternal Sunshine of the Spotless Mind|2004|Michel Gondry
The Truman Show|1998|Peter Weir
Dead Poets Society|1989|Peter Weir
Groundhog Day|1993|Harold Ramis
Ghostbusters|1984|Ivan Reitman
Die Hard|1988|John McTiernan
Predator|1987|John McTiernan
Ocean's Eleven|2001|Steven Soderbergh
Erin Brockovich|2000|Steven Soderbergh
Fargo|1996|Joel Coen
The Big Lebowski|1998|Joel Coen
No Country for Old Men|2007|Joel Coen, Ethan Coen
O Brother, Where Art Thou?|2000|Joel Coen
There Will Be Blood|2007|Paul Thomas Anderson
Magnolia|1999|Paul Thomas Anderson
Boogie Nights|1997|Paul Thomas Anderson
The Grand Budapest Hotel|2014|Wes Anderson
The Royal Tenenbaums|2001|Wes Anderson
Moonrise Kingdom|2012|Wes Anderson
WALL·E|2008|Andrew Stanton
Finding Nemo|2003|Andrew Stanton
Ratatouille|2007|Brad Bird
The Incredibles|2004|Brad Bird
Monsters, Inc.|2001|Pete Docter
Up|2009|Pete Docter
Toy Story|1995|John Lasseter
Toy Story 2|1999|John Lasseter
The Lion King|1994|Roger Allers, Rob Minkoff
Beauty and the Beast|1991|Gary Trousdale, Kirk Wise
M*A*S*H|1970|Robert Altman
Face/Off|1997|John Woo
L.A. Confidential|1997|Curtis Hanson
12 Angry Men|1957|Sidney Lumet
Dog Day Afternoon|1975|Sidney Lumet
One Flew Over the Cuckoo's Nest|1975|Miloš Forman
Amadeus|1984|Miloš Forman
The Good, the Bad and the Ugly|1966|Sergio Leone
Once Upon a Time in the West|1968|Sergio Leone
Mulholland Drive|2001|David Lynch
Blue Velvet|1986|David Lynch
Trainspotting|1996|Danny Boyle
Slumdog Millionaire|2008|Danny Boyle
The Fast and the Furious|2001|Rob Cohen
Fast & Furious|2009|Justin Lin
Pan's Labyrinth|2006|Guillermo del Toro
The Shape of Water|2017|Guillermo del Toro
Gravity|2013|Alfonso Cuarón
Children of Men|2006|Alfonso Cuarón
Mad Max: Fury Road|2015|George Miller
Heat|1995|Michael Mann
Collateral|2004|Michael Mann
The Last of the Mohicans|1992|Michael Mann
Lost in Translation|2003|Sofia Coppola
Little Miss Sunshine|2006|Jonathan Dayton, Valerie Faris
Donnie Darko|2001|Richard Kelly
Requiem for a Dream|2000|Darren Aronofsky
Black Swan|2010|Darren Aronofsky
Whiplash|2014|Damien Chazelle
La La Land|2016|Damien Chazelle
`
  .trim()
  .split('\n')
  .map((line) => line.split('|'))
  .map(([title = '', year, director = '']) => [title, Number(year), director] as const)

/** What people type, and the movie that they mean. */
export const typedByHand: readonly (readonly [typed: string, title: string])[] = `
godfahter|The Godfather
the god fahter|The Godfather
godfather 2|The Godfather Part II
godfather part 3|The Godfather Part III
apocalipse now|Apocalypse Now
shawshank redemtion|The Shawshank Redemption
shawshenk|The Shawshank Redemption
schindlers list|Schindler's List
schindler list|Schindler's List
jurasic park|Jurassic Park
private ryan|Saving Private Ryan
extra terrestrial|E.T. the Extra-Terrestrial
close encounters|Close Encounters of the Third Kind
lost ark|Raiders of the Lost Ark
pulp ficton|Pulp Fiction
tarantino dogs|Reservoir Dogs
inglorious basterds|Inglourious Basterds
kill bill 2|Kill Bill: Vol. 2
se7en|Se7en
seven fincher|Se7en
fightclub|Fight Club
girl with a dragon tattoo|The Girl with the Dragon Tattoo
fellowship of the ring|The Lord of the Rings: The Fellowship of the Ring
lord of the rings return|The Lord of the Rings: The Return of the King
two towers|The Lord of the Rings: The Two Towers
starwars|Star Wars
empire strikes|The Empire Strikes Back
retrun of the jedi|Return of the Jedi
teh matrix|The Matrix
matrix relaoded|The Matrix Reloaded
incepton|Inception
interstelar|Interstellar
dark knight rises|The Dark Knight Rises
nolan dark|The Dark Knight
memnto|Memento
spiderman|Spider-Man
spiderman 2|Spider-Man 2
xmen|X-Men
terminater 2|Terminator 2: Judgment Day
titanc|Titanic
alien 3|Alien³
thelma and louise|Thelma & Louise
thelma and luise|Thelma & Louise
goodfelas|Goodfellas
good fellas|Goodfellas
taxidriver|Taxi Driver
pyscho|Psycho
hitchcock window|Rear Window
space odyssey|2001: A Space Odyssey
clockwork ornage|A Clockwork Orange
the shinning|The Shining
dr strangelove|Dr. Strangelove
doctor strangelove|Dr. Strangelove
amelie|Amélie
leon professional|Léon: The Professional
fith element|The Fifth Element
goodbye lenin|Good Bye, Lenin!
8 1/2|8½
dolce vita|La Dolce Vita
spirited aw|Spirited Away
spirted away|Spirited Away
princess monoke|Princess Mononoke
miyazaki castle|Howl's Moving Castle
howls moving castle|Howl's Moving Castle
kikis delivery|Kiki's Delivery Service
old boy|Oldboy
wong kar wai|In the Mood for Love
crouching tiger|Crouching Tiger, Hidden Dragon
brokeback mountian|Brokeback Mountain
silence of the lamb|The Silence of the Lambs
forest gump|Forrest Gump
back to the futur|Back to the Future
castaway|Cast Away
eternal sunshine|Eternal Sunshine of the Spotless Mind
truman shwo|The Truman Show
dead poet society|Dead Poets Society
groundhog|Groundhog Day
ghost busters|Ghostbusters
oceans eleven|Ocean's Eleven
big lebowsky|The Big Lebowski
no country|No Country for Old Men
o brother where art thou|O Brother, Where Art Thou?
grand budapest|The Grand Budapest Hotel
wes anderson royal|The Royal Tenenbaums
walle|WALL·E
wall e|WALL·E
finding nmeo|Finding Nemo
ratatoille|Ratatouille
monsters inc|Monsters, Inc.
mash|M*A*S*H
face off|Face/Off
la confidential|L.A. Confidential
cuckoos nest|One Flew Over the Cuckoo's Nest
milos forman|Amadeus
good bad ugly|The Good, the Bad and the Ugly
mulholand drive|Mulholland Drive
fast and the furios|The Fast and the Furious
fast and furious|Fast & Furious
pans labyrinth|Pan's Labyrinth
cuaron|Gravity
mad max|Mad Max: Fury Road
lost in transaltion|Lost in Translation
donie darko|Donnie Darko
requiem for dream|Requiem for a Dream
lala land|La La Land
`
  .trim()
  .split('\n')
  .map((line) => line.split('|'))
  .map(([typed = '', title = '']) => [typed, title] as const)
