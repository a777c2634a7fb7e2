"""Sentences of the demo corpus with slots for names: news, sport, headlines, tweets, and text without any name.

Words stand apart by blanks. `{city}` is a slot (make_corpus.py lists them), `[a|b c|]` is a choice, made first, and
`May/PER` is a name that is meant as it stands.
In each group every fifth sentence is kept out of train (see make_corpus.py).
"""

from __future__ import annotations


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


NEWS = _lines("""
{city} {iso}
{city} , {country} {iso}
{full} , {media} {iso}
{per} said on {day} that {company} would [open|close|sell] a [plant|warehouse|research centre] in {city} .
{company} [named|appointed|hired] {full} as its new {job} .
{full} [founded|started|set up|launched] {company} in {city} in {year} .
{full} , who founded {company} , was born in {city} , {country} .
{company} was founded by {full} and {full} in {city} .
{full} moved [to|from] {city} {adv} .
{full} and {full} moved to {city} to work for {company} .
{full} grew up in {city} and now lives in {city} with two children .
{company} shares [rose|fell|jumped|slid] {pct} percent on {day} after the {nat} group cut its outlook .
The {nat} government [denied|confirmed] the report {adv} .
{nat} President {full} [met|telephoned|received] {per} in {city} on {day} .
{nat} Prime Minister {full} arrived in {city} on {day} for talks with {nat} leaders .
" We are [very|not at all] surprised , " said {full} , {job} of {company} .
" There is no deal , " {last} told {media} .
{last} , {small} , has led the {body} since {month} {year} .
The {body} [warned|said|announced] on {day} that {country} must cut spending .
{country} and {country} signed a [treaty|trade pact|border accord] in {city} on {day} .
At least {small} people were killed when a bus [overturned|crashed] near {city} in {country} .
Police in {city} arrested {num} people after a march against {company} .
A {nat} court [jailed|acquitted] {full} on {day} for selling secrets to {country} .
{full} , a spokesman for the {body} , declined to comment .
{company} [agreed to buy|is in talks to buy|walked away from] {company} for {money} .
The merger of {company} and {company} needs approval from the {body} .
{media} reported that {full} had left {country} for {country} .
The [storm|flood|fire] moved from {place} towards {city} on {day} .
Farmers in {place} said the harvest would be the poorest since {year} .
Oil from {place} was [cheaper|dearer] than oil from {country} , traders in {city} said .
{full} won a prize in {year} for {work} , a novel about the {war} .
The {nat} director {full} will film {work} in {city} next {month} .
{work} , by {full} , opens in {city} on {day} .
{company} will ship the new {product} to {country} in {month} .
Sales of the {product} rose {pct} percent in {place} , {company} said .
Engineers at {company} in {city} have [tested|recalled] {num} units of the {product} .
Voters in {country} go to the polls on {day} , and {last} is expected to win .
{last} beat {last} by {num} votes in {place} .
Rebels [attacked|left] the town north of {city} , the {body} said .
A {nat} [diplomat|journalist|soldier|tourist] was [wounded|missing] in {city} , according to {media} .
The {body} sent {num} [observers|doctors|troops] to {country} .
Neither {per} nor {per} would say whether {company} had paid .
Born in {city} in {year} , {full} studied at {body} before joining {company} .
After leaving {company} , {last} taught at {body} .
{full} , {job} of {company} , said in {city} that {num} jobs would go .
Analysts at {company} expect the {nat} central bank to hold rates .
The [dollar|euro|yen] closed higher in {city} on {day} .
In {city} , the index ended {pct} points [up|down] , led by {company} and {company} .
{full} ( {nat} ) and {full} ( {nat} ) shared the prize .
{company} , based in {city} , employs {num} people in {country} and {country} .
The [river|road] runs from {city} through {place} to {city} .
Relations between {country} and {country} have been cool since the {war} .
On {day} {per} flies to {city} , and on {day} to {city} .
{full} 's lawyer , {full} , called the charge absurd .
{company} 's {product} is [made|sold|designed] in {city} .
{city} 's mayor , {full} , has promised {num} new homes .
Trade between {place} and {place} doubled in {year} .
The {nat} and {nat} foreign ministers will meet in {city} .
{nat} officials said {num} {nat} citizens were aboard the flight to {city} .
The {body} 's {full} wrote to {company} 's {full} in {month} .
A letter signed by {full} , {full} and {full} was sent to the {body} .
{media} : {company} to cut {num} jobs in {country} .
{full} died in {city} on {day} . [He|She] was {small} .
[He|She] met {per} in {city} and wrote to {per} from {city} .
[Mr.|Mrs.|Ms.|Dr.|Judge|Sir] {last} flew from {city} to {city} .
As {job} of {company} , {last} earned {money} in {year} .
{full} succeeded {full} at the {body} in {month} .
The museum in {city} lent its {work} to {city} .
They sang {work} at the {event} in {city} .
Few in {city} remember the {war} , though {last} does .
The {product} made {company} rich ; {last} made it famous .
What {per} wants , {company} rarely refuses .
It was {first} who called {first} from {city} .
""")

AMBIGUOUS = _lines("""
{full} will visit Jordan/LOC in May .
Jordan/PER scored {small} points while {last} sat out .
Washington/PER wrote to his mother from Virginia/LOC .
Washington/LOC rejected the plan , and {city} was pleased .
{full} told Washington/LOC that {city} would wait .
May/PER and {first} went to {city} in May .
Apple/ORG unveiled the {product} in {city} .
Apple pie and cream are served from {time} .
An apple a day , said {full} , is not enough .
Turkey/LOC borders {country} on the east .
Turkey sandwiches are sold out again .
The china was packed in {city} for the trip .
China/LOC ordered the china from {city} .
Paris/PER called {first} from Paris/LOC .
Will {first} come to {city} ?
Will/PER said that he will come to {city} .
Mark the date : {day} , {time} , {city} .
Mark/PER moved to {city} and opened an account with {company} .
Bill payments are due in {month} .
Bill/PER paid {first} in {city} .
The shell was found on a beach near {city} .
Shell/ORG found oil near {city} .
Target practice begins at {time} .
Target/ORG opened {num} stores in {country} .
Amazon/ORG delivers to {city} .
They went up the Amazon/LOC from {country} .
Polish the table before {first} comes .
Polish/MISC voters chose {last} .
Georgia/LOC beat {country} in the {cup} .
Georgia/PER , my sister , works for {company} .
Chelsea/ORG lost to {team} .
Chelsea/PER lives in Chelsea/LOC , near the river .
Rose prices rose in {month} , growers in {country} said .
Rose/PER told {full} about {city} .
Orange juice from {place} is cheap .
Orange/ORG cut its prices in {country} .
Hope is not a plan , the {body} said .
In August August/PER left for {city} .
Lincoln/LOC lies south of {city} .
Lincoln/PER spoke for two minutes .
""")

SPORT = _lines("""
{team} {score} {team}
{team} {small} {team} {small} ( halftime {score} )
1 . {full} ( {country} ) {clock}
{small} . {full} , {country} , {clock}
{full} ( {country} ) beat {full} ( {country} ) {set} {set}
{country} : {full} {small} , {full} {small} , {full} {small}
{team} [beat|thrashed|held|lost to] {team} {score} on {day} .
{full} scored twice as {team} beat {team} {score} in the {cup} .
{team} striker {full} [signed|will sign] for {team} on {day} .
{country} [beat|lost to|drew with] {country} {score} in a {cup} [qualifier|match] in {city} .
{nat} champion {full} [won|lost] the {cup} on {day} .
{last} hit {small} runs for {team} before rain stopped play .
At {city} : {team} {small} for four ( {last} {small} , {last} {small} ) .
{team} coach {full} blamed the referee , {full} of {country} .
{full} , the {nat} [goalkeeper|sprinter|defender|cyclist] , will miss the {cup} with a knee injury .
Attendance in {city} : {num}
Leading scorers : {full} ( {team} ) {small} , {full} ( {team} ) {small}
Third seed {full} [fell|lost] to {full} of {country} at the {cup} .
{city} will bid for the {cup} , mayor {full} said .
{full} threw {small} passes and {team} won at {city} for the first time since {year} .
The {cup} moves to {city} next week .
{full} of {country} leads the {cup} by {small} seconds from {full} .
In {city} , {full} homered in the ninth to lift the {team} past the {team} .
{team} bought {nat} midfielder {full} from {team} for {money} .
{last} 's goal gave {team} the {cup} .
Playing in {city} , {team} went down {score} to {team} .
" I love {team} , " {last} said after leaving {team} .
Referee : {full} ( {country} )
Draw for the {cup} : {country} v {country} , {country} v {country}
{full} 's [horse|boat|car] finished last at {place} .
""")

HEADLINES = _lines("""
{country} beat {country} in {cup}
{company} to buy {company} for {money}
{last} quits {body} after {country} row
{nat} shares end higher , {company} leads
{city} mayor {last} wins third term
{team} sign {last} from {team}
{company} cuts {num} jobs in {country}
{body} sends {num} troops to {country}
{last} tells {body} : no new tax
Storm hits {place} , {city} cut off
{media} drops {last} over {city} story
{full} dies in {city} at {small}
Fire at {company} plant in {city}
{nat} court frees {full}
{event} comes to {city} in {year}
{company} {product} recalled in {country}
{last} and {last} meet in {city}
{country} votes , {last} ahead
""")

TWEETS = _lines("""
{user} are you going to {city} for {event} ?
{user} lol {first} is soooo funny {emo}
RT {user} : {company} just [killed|fixed|bought] my favourite app {url}
RT {user} : {full} live in {city} tonight ! {tag} {url}
omg {full} [followed|liked|answered] me {emo} {emo}
just landed in {city} {emo} {tag}
Can't wait for {work} on {media} tonight {tag}
can n't believe {team} lost again {emo}
{team} fans in {city} , where are we watching ? {tag}
my {product} died AGAIN , thanks {company} {emo}
Got my new {product} from {company} today ! {url}
{first} and {first} are coming to {city} on {day} {emo}
{user} {user} happy {event} guys {emo}
I do n't get why {full} is trending {url}
why is {full} trending ? {cup} ? I don't care {emo}
Goodbye {city} , hello {city} ! {emo}
Flying {company} to {city} , wish me luck {emo}
" {work} " made me cry :'(
New job at {company} in {city} ! ! ! {tag} {tag}
{user} ask {first} , she saw {last} at {event}
someone take me to {place} plz {emo}
{full} > {full} any day {tag}
Watching {team} vs {team} w/ {first} {emo}
{team} {score} {team} ... what a game {tag}
{nat} food > {nat} food , don't @ me
Is {product} down for anyone else ? {user} {url}
{media} says {last} is out , {media} says he isn't . {tag}
{full} for president lol {emo}
Reading {work} on the train to {city} {url}
Job : {job} in {city} , {country} {url} {tag}
{company} is hiring a {job} in {place} {url} {tag}
2 weeks till {city} with {user} & {first} {emo}
Thx {user} for the RT ! See you at {event} in {city} {emo}
{first} 's birthday party at {first} 's place {emo} {tag}
i miss {city} so much rn {emo}
Snow in {place} , sun in {place} . Thanks {media}
{user} did u see {full} on {media} last night ? ?
At {company} in {city} , worst coffee ever {emo}
VIDEO : {full} talks {product} with {media} {url}
{tag} {country} vs {country} who wins ?
Good morning {city} {emo} {url}
We love you {first} ! {tag} {emo}
ugh {company} customer service {emo} {user}
Nobody : ... {last} : buys {team}
big up {first} from {city} ! {tag}
""")

PLAIN = _lines("""
{user} thank you so much {emo}
RT {user} : never give up {tag} {url}
I do n't know what to do {adv} {emo}
don't forget to vote today ! {tag}
so tired , [going to bed|need coffee|send help] {emo}
Follow me and I will follow you back {user} {url}
Happy [birthday|friday|monday] to the best mum ever {emo} {emo}
[He|She|They] said it would [rain|snow] on {day} .
The [match|meeting|flight] was [cancelled|put off until {day}] .
Prices rose {pct} percent in {month} , the first rise in {small} months .
There was no comment from the [ministry|company|team] .
No further details were [available|given] .
Shares closed at {pct} , up {pct} .
" It was a [good|bad|long] year , " the {job} said .
At first [nobody|everybody] believed the story .
Temperatures will reach {small} degrees by {time} .
The court will rule in {month} {year} .
Results of {day} 's matches :
Total : {num}
( {score} , halftime {score} )
Standings after {day} 's games ( played , won , drawn , lost , points ) :
[Three|Four|Five] men in masks took {money} from a bank {adv} .
New rules for old cars take effect in {month} .
Apples , oranges and roses were sold in the market square .
Open the window , will you ?
Who may use the orange door , and who must not ?
She marked the bill and put it on the shelf .
It may rain in May , it may not in March .
Our target is {num} by {year} .
The first man on the list had gone fishing .
He had hope , a rose in his hand and nothing to say .
{num} {num} {num}
More later .
Call {num} or send an e-mail before {time} .
Doctors said the patient was [stable|awake|walking] .
""")
