/*
 * The promise: a webhook that was answered 200 is in the journal for good, and ends in the state exactly once, whatever
 * crashes when. A model of the daemon's two files and of who writes them when, small enough for Spin to try everything.
 *
 * usage: tests/model/run; or by hand: spin -a promise.pml && gcc -O2 -DSAFETY -o pan pan.c && ./pan
 *
 * Each step is what the program does between two moments at which a crash could make a difference:
 *
 *   step here         in the program
 *   send              ingress: a webhook whose signature is right waits for the journal (journal::log::submit)
 *   gather, sync,     journal::writer: gather and write_gathered write one batch and sync it; complete_gathered
 *     acknowledge       gives the 200s; classify asks the memory of recent webhooks
 *   apply             pipeline::follower::apply_chunk over state::apply: the unique row of `events`, the objects and
 *                       the cursor in one transaction
 *   retain, copy,     pipeline::maintain: make_snapshot (store.sync, state::copy_state), then
 *     delete            journal::log::remove_older, oldest first
 *   rebuild, follow,  pipeline::rebuild in another process, or renewal in this one; adopt catches up and replaces the
 *     adopt             state by one transaction (sqlite_store::replace_by)
 *   crash             kill -9: what was written stays readable, but is no more durable than before; power cut: the
 *                       journal loses its last batch unless it was synced, the state goes back to any commit since
 *                       its last sync (synchronous=NORMAL loses commits from the end, and never reorders them);
 *                       or state.db is damaged, or moved away to have it made anew
 *   start             journal::recover writes again and syncs what can be read; match_journal takes the snapshot when
 *                       the state ends before the journal begins
 *
 * One record stands for one segment, and a batch is kept or lost as a whole, for its checksum says so. Each name below
 * that the compiler is given (-DNAME) breaks one rule, and the search must then find a fault.
 *
 *   ACK_FIRST               the 200 is given before the sync
 *   TRUST_MEMORY            a start does not sync what it reads
 *   APPLY_EARLY             what is not durable is applied
 *   CURSOR_APART            the cursor has a transaction of its own, before the rows
 *   NO_DEDUPE               a webhook has no unique row
 *   DELETE_BEFORE_SNAPSHOT  segments go before the snapshot is there
 *   SNAPSHOT_NOT_SYNCED     the snapshot gets its name before it is synced
 *   REPLACE_APART           a rebuilt state is taken over in two transactions, the cursor first
 *   NO_CATCH_UP             a rebuilt state is taken over though it is behind
 */

#define WEBHOOKS 3
#define SENDS 4     /* deliveries, repeated ones among them */
#define CRASHES 2   /* kills and power cuts */
#define REBUILDS 1
#define COMMITS 8   /* of the state between two of its syncs */

/* A committed content of the state: how often each webhook was applied, and the last sequence that was. */
typedef version {
    byte applied[WEBHOOKS];
    byte cursor
}

/* The journal. Sequences count from 1; what was deleted stays here, to be compared with. */
byte record[SENDS + 1];
byte written;   /* the last sequence that can be read */
byte synced;    /* the last one that is durable */
byte first = 1; /* the first one that retention left */

/* The state: the commits that a power cut may go back to, of which the first is durable. */
version state[COMMITS];
byte latest;

version snapshot;      /* what its name shows; cursor 0: there is none */
version snapshot_kept; /* what is durable under that name */

/* In memory. */
bool running = true;
bool queued[WEBHOOKS];
bool recent[WEBHOOKS]; /* the journal's memory of webhooks it need not write again */
byte batch_begin;      /* the sequence before the batch under way */
byte journal;          /* of the batch under way: 0 none, 1 written, 2 synced */
byte retention;        /* 0 idle, 1 the state is synced, 2 the snapshot is there */
byte retained;         /* up to where segments may go */
bool rebuilding;
version fresh; /* the file that a rebuild makes */

/* The world outside. */
bool acked[WEBHOOKS]; /* a 200 was seen */
byte known;           /* so many different webhooks were sent; they are alike, so they come in order */
byte sends, crashes, rebuilds;

byte i, w;
#define now state[latest]

inline copy(to, from)
{
    for (w : 0 .. WEBHOOKS - 1) { to.applied[w] = from.applied[w] }
    to.cursor = from.cursor
}

inline forget(v)
{
    for (w : 0 .. WEBHOOKS - 1) { v.applied[w] = 0 }
    v.cursor = 0
}

/* The first `by` commits are forgotten. */
inline drop_commits(by)
{
    d_step {
        for (i : 0 .. latest - by) { copy(state[i], state[i + by]) }
        for (i : latest - by + 1 .. COMMITS - 1) { forget(state[i]) }
        latest = latest - by
    }
}

/* A new commit, to be changed by whoever called this. */
inline begin_commit()
{
    assert(latest + 1 < COMMITS);
    copy(state[latest + 1], state[latest]);
    latest++
}

inline apply_record(v, sequence)
{
#ifdef NO_DEDUPE
    v.applied[record[sequence]]++
#else
    if
    :: v.applied[record[sequence]] == 0 -> v.applied[record[sequence]] = 1
    :: else /* a delivery is counted */
    fi
#endif
}

inline follow_to(v, sequence)
{
    i = sequence;
    do
    :: v.cursor < i -> v.cursor++; apply_record(v, v.cursor)
    :: else -> break
    od
}

inline assert_sound(v)
{
    for (w : 0 .. WEBHOOKS - 1) { assert(v.applied[w] <= 1) }                   /* nothing is applied twice */
    for (w : 1 .. v.cursor) { assert(w > synced || v.applied[record[w]] == 1) } /* the cursor passes nothing */
}

/* What holds after every step. */
inline check()
{
    d_step {
        for (i : 0 .. latest) {
            assert_sound(state[i]);
            assert(state[i].cursor <= synced) /* the state is never ahead of the journal */
        }
        assert_sound(snapshot);
        for (i : 0 .. WEBHOOKS - 1) {
            if
            :: acked[i] ->
                w = 1;
                do
                :: w <= synced && record[w] != i -> w++
                :: else -> break
                od;
                assert(w <= synced) /* what was acknowledged is durable */
            :: else
            fi
        }
        assert(first == 1 || snapshot.cursor + 1 >= first); /* the state can be made anew */
        assert(!running || now.cursor + 1 >= first);        /* applying can go on */
        i = 0;
        w = 0
    }
}

inline lose_memory()
{
    d_step {
        for (w : 0 .. WEBHOOKS - 1) { queued[w] = false; recent[w] = false }
        running = false;
        journal = 0;
        batch_begin = 0;
        retention = 0;
        retained = 0
    }
}

inline end_rebuild()
{
    rebuilding = false;
    forget(fresh)
}

active proctype world()
{
    do
    /* send: a new webhook, or one that was sent before, seen its 200 or not */
    :: atomic { running && sends < SENDS ->
           if
           :: known < WEBHOOKS -> w = known; known++
           :: known > 0 -> w = 0
           :: known > 1 -> w = 1
           :: known > 2 -> w = 2
           fi;
           sends++;
           queued[w] = true;
           check() }

    /* gather */
    :: atomic { running && journal == 0 && (queued[0] || queued[1] || queued[2]) ->
           batch_begin = written;
           for (w : 0 .. WEBHOOKS - 1) {
               if
               :: queued[w] && recent[w] -> acked[w] = true /* known, so durable: 200 at once */
               :: queued[w] && !recent[w] ->
                   written++;
                   record[written] = w;
                   recent[w] = true;
#ifdef ACK_FIRST
                   acked[w] = true
#endif
               :: else
               fi;
               queued[w] = false
           }
           if
           :: written > batch_begin -> journal = 1
           :: else -> batch_begin = 0
           fi;
           check() }

    /* sync */
    :: atomic { journal == 1 -> synced = written; journal = 2; check() }

    /* acknowledge */
    :: atomic { journal == 2 ->
           for (i : batch_begin + 1 .. written) { acked[record[i]] = true }
           journal = 0;
           batch_begin = 0;
           check() }

    /* the memory is bounded: it forgets */
    :: atomic { running && journal == 0 && recent[0] -> recent[0] = false; check() }

    /* apply */
#ifdef APPLY_EARLY
    :: atomic { running && now.cursor < written && now.cursor + 1 >= first ->
#else
    :: atomic { running && now.cursor < synced && now.cursor + 1 >= first ->
#endif
           begin_commit();
#ifdef CURSOR_APART
           now.cursor++;
           begin_commit();
           apply_record(now, now.cursor);
#else
           follow_to(now, now.cursor + 1);
#endif
           check() }

    /* retain: a segment is applied and old enough; the newest is never deleted */
    :: atomic { running && retention == 0 && first <= now.cursor && first < synced ->
           retained = now.cursor;
           if
           :: retained == synced -> retained = synced - 1
           :: else
           fi;
           drop_commits(latest); /* the state is synced */
           retention = 1;
           check() }

    /* copy: the snapshot is written and synced beside the old one, then gets its name */
    :: atomic { retention == 1 ->
           copy(snapshot, now);
#ifndef SNAPSHOT_NOT_SYNCED
           copy(snapshot_kept, now);
#endif
           retention = 2;
           check() }

    /* delete: one segment, durably */
#ifdef DELETE_BEFORE_SNAPSHOT
    :: atomic { retention > 0 ->
#else
    :: atomic { retention == 2 ->
#endif
           if
           :: first <= retained -> first++
           :: else -> retention = 0; retained = 0
           fi;
           check() }

    /* rebuild: from the snapshot when the journal does not begin at 1 */
    :: atomic { !rebuilding && rebuilds < REBUILDS && written > 0 ->
           rebuilds++;
           rebuilding = true;
           if
           :: first > 1 -> copy(fresh, snapshot)
           :: else
           fi;
           check() }

    /* follow: another process sees what is written, durable or not */
    :: atomic { rebuilding && fresh.cursor < written && fresh.cursor + 1 >= first ->
           follow_to(fresh, fresh.cursor + 1);
           check() }

    /* a segment was deleted in front of it: it fails */
    :: atomic { rebuilding && fresh.cursor + 1 < first -> end_rebuild(); check() }

    /* adopt */
    :: atomic { running && rebuilding && fresh.cursor <= synced && fresh.cursor + 1 >= first ->
#ifndef NO_CATCH_UP
           follow_to(fresh, now.cursor);
#endif
           begin_commit();
#ifdef REPLACE_APART
           now.cursor = fresh.cursor;
           begin_commit();
#endif
           copy(now, fresh);
           end_rebuild();
           check() }

    /* crash: kill -9; a rebuild in another process lives on */
    :: atomic { crashes < CRASHES && running ->
           crashes++;
           lose_memory();
           if
           :: rebuilding -> end_rebuild()
           :: true
           fi;
           check() }

    /* crash: power cut, also while the daemon is down or starts */
    :: atomic { crashes < CRASHES ->
           crashes++;
           lose_memory();
           if
           :: rebuilding -> end_rebuild()
           :: else
           fi;
           if
           :: written > synced -> /* the batch was not kept */
               for (i : synced + 1 .. written) { record[i] = 0 }
               written = synced
           :: written > synced -> synced = written /* it was, by chance */
           :: else
           fi;
           do /* any commit may be the last that was kept */
           :: latest > 0 -> forget(state[latest]); latest--
           :: break
           od;
           drop_commits(latest);
           copy(snapshot, snapshot_kept);
           check() }

    /* the state file is lost: damaged, or moved away to have it made anew */
    :: atomic { crashes < CRASHES && !running && now.cursor > 0 ->
           crashes++;
           forget(now);
           drop_commits(latest);
           check() }

    /* start */
    :: atomic { !running ->
#ifndef TRUST_MEMORY
           synced = written;
#endif
           for (i : 1 .. written) {
               if
               :: recent[record[i]] = true
               :: true /* too old for the memory */
               fi
           }
           if
           :: now.cursor + 1 < first -> begin_commit(); copy(now, snapshot)
           :: else
           fi;
           running = true;
           check() }

    :: else -> break
    od;
    skip;

    /* Everything has come to rest: what was acknowledged is in the state, once. */
    d_step {
        assert(running && now.cursor == synced);
        for (i : 0 .. WEBHOOKS - 1) { assert(!acked[i] || now.applied[i] == 1) }
        for (i : 1 .. synced) { assert(now.applied[record[i]] == 1) }
        i = 0
    }
}
