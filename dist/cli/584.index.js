export const id = 584;
export const ids = [584];
export const modules = {

/***/ 4584:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  cacheCommand: () => (/* binding */ cacheCommand)
});

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(7598);
// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(1455);
// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(8161);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(6760);
// EXTERNAL MODULE: ./lib/base/bytes.js
var base_bytes = __webpack_require__(8899);
// EXTERNAL MODULE: ./lib/base/clock.js
var clock = __webpack_require__(3462);
// EXTERNAL MODULE: ./lib/base/duration.js
var duration = __webpack_require__(7062);
// EXTERNAL MODULE: ./lib/base/errors.js
var errors = __webpack_require__(9681);
// EXTERNAL MODULE: ./lib/host/terminal-host.js
var terminal_host = __webpack_require__(7474);
// EXTERNAL MODULE: ./lib/stores/local-store.js + 1 modules
var local_store = __webpack_require__(1449);
// EXTERNAL MODULE: ./lib/stores/open-store.js + 10 modules
var open_store = __webpack_require__(806);
// EXTERNAL MODULE: ./lib/task-cache/explain-miss.js
var explain_miss = __webpack_require__(9);
// EXTERNAL MODULE: ./lib/task-cache/key-history.js
var key_history = __webpack_require__(6889);
// EXTERNAL MODULE: ./lib/task-cache/task-key.js
var task_key = __webpack_require__(2404);
// EXTERNAL MODULE: ./lib/task-cache/unpack-outputs.js
var unpack_outputs = __webpack_require__(2090);
;// CONCATENATED MODULE: ./lib/cli/cache-entries.js


const KEY = /^image-cache-v\d+-([a-z][a-z0-9-]*?)((?:-[0-9a-f]{64})+)(?:-(.*))?$/;
const ID_DIGITS = 12;
/** Takes a key apart for people; a key that is none of ours is shown as it is. */
function cacheEntry({ key, size, created, used }) {
    const [, kind = 'other', digests = '', value = ''] = KEY.exec(key) ?? [];
    return {
        id: digests === '' ? key : digests.slice(-64, -64 + ID_DIGITS),
        kind,
        value,
        bytes: size,
        created: isoTime(created),
        used: isoTime(Math.max(used, created)),
        key,
    };
}
/** Whether an entry is meant: by its whole key, or by the beginning of one of the digests in it. */
function isNamed({ key }, name) {
    const wanted = name.toLowerCase().replace(/^sha256:/, '');
    const digests = key.match(/(?<=-)[0-9a-f]{64}(?=-|$)/g) ?? [];
    return key === wanted || (/^[0-9a-f]{4,64}$/.test(wanted) && digests.some((digest) => digest.startsWith(wanted)));
}
/** Entries of a task: its results, and what its misses are explained by. */
function isOfTask({ key }, slug) {
    const { kind, value } = cacheEntry({ key, file: '', size: 0, created: 0, used: 0 });
    return (kind === 'task' || kind === 'task-history') && value.slice(value.indexOf('.') + 1) === slug;
}
/** Columns with two spaces between them; an entry a line. */
function entryLines(entries, now) {
    const rows = entries.map(({ id, kind, value, bytes, used }) => [
        id,
        kind,
        (0,base_bytes/* formatBytes */.z)(bytes),
        `${ageOf(used, now)} ago`,
        value,
    ]);
    const all = [['ID', 'KIND', 'SIZE', 'USED', 'WHAT'], ...rows];
    const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
    return all.map((row) => row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd());
}
function ageOf(time, now) {
    const seconds = Math.max(0, (now - Date.parse(time)) / 1000);
    if (seconds < 3600)
        return (0,duration/* formatSeconds */.X)(seconds);
    return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}
function isoTime(seconds) {
    return new Date(seconds * 1000).toISOString();
}

;// CONCATENATED MODULE: ./lib/cli/cache-command.js
















/** `image-cache cache …`: looks into the local store and tidies it. Answers the exit code. */
async function cacheCommand(request, json, world) {
    const host = new terminal_host/* TerminalHost */.L({ messages: world.stderr, env: world.env });
    try {
        const folder = (0,open_store/* localFolder */.M1)(world.env);
        if (folder === undefined) {
            throw new errors/* ImageCacheError */.AO('E_INPUT', 'there is no local store: neither XDG_CACHE_HOME nor HOME is set');
        }
        const store = new local_store/* LocalStore */.V({ folder, ...(0,open_store/* localLimits */.UV)(world.env) });
        const answer = await answerTo(request, store, world.signal);
        const text = json ? JSON.stringify(answer.json, null, 2) : answer.lines.join('\n');
        if (text !== '')
            world.stdout.write(`${text}\n`);
        return answer.exitCode ?? 0;
    }
    catch (error) {
        const failure = world.failureOf(error);
        host.error(failure.sentence);
        for (const line of [failure.hint, failure.stack])
            if (line !== '')
                host.info(line);
        return 1;
    }
}
async function answerTo(request, store, signal) {
    switch (request.kind) {
        case 'ls':
            return list(await chosen(store, request.task));
        case 'show':
            return show(await oneNamed(store, request.key), store, signal);
        case 'why':
            return why(request.earlier, request.later, store);
        case 'clear':
            return removed(await removeAll(await chosen(store, request.task), store), 'removed');
        case 'gc':
            return removed(await store.sweep(), 'let go');
        case 'verify':
            return verify(await store.list(), store);
    }
}
/** Entries of one task, or all, the latest used first. */
async function chosen(store, task) {
    const entries = await store.list();
    const wanted = task === undefined ? entries : entries.filter((entry) => isOfTask(entry, (0,task_key/* slugOf */.tF)(task)));
    return wanted.toSorted((a, b) => Math.max(b.used, b.created) - Math.max(a.used, a.created));
}
function list(files) {
    const entries = files.map(cacheEntry);
    const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    const lines = entries.length === 0 ? [] : entryLines(entries, clock/* systemClock */.m.now());
    return { lines: [...lines, `${entries.length} entries, ${(0,base_bytes/* formatBytes */.z)(total)}`], json: entries };
}
async function oneNamed(store, name) {
    const found = (await store.list()).filter((entry) => isNamed(entry, name));
    const [first] = found;
    if (first !== undefined && found.length === 1)
        return first;
    const results = found.filter((entry) => cacheEntry(entry).kind === 'task');
    const [result] = results;
    if (result !== undefined && results.length === 1)
        return result;
    const what = found.length === 0 ? 'names no entry' : `names ${found.length} entries`;
    throw new errors/* ImageCacheError */.AO('E_INPUT', `KEY: ${JSON.stringify(name)} ${what}`, {
        hint: 'Give a whole key, or the first digits of a digest in it: image-cache cache ls shows them.',
    });
}
async function show(file, store, signal) {
    const entry = cacheEntry(file);
    const doubt = await store.check(file);
    const record = entry.kind === 'task' && doubt === undefined ? await recordOf(file, store, signal) : undefined;
    const lines = [
        `key      ${entry.key}`,
        `kind     ${entry.kind}`,
        `size     ${(0,base_bytes/* formatBytes */.z)(entry.bytes)}`,
        `created  ${entry.created}`,
        `used     ${entry.used}`,
        `content  ${doubt ?? 'as it was written'}`,
        ...(record === undefined ? [] : recordLines(record)),
    ];
    return { lines, json: { ...entry, doubt: doubt ?? null, record: record ?? null } };
}
function recordLines({ name, seconds, origin, outputs, values, log }) {
    return [
        `task     ${name}, ran for ${(0,duration/* formatSeconds */.X)(seconds)}`,
        ...(origin.run === undefined ? [] : [`run      ${origin.run}`]),
        ...(origin.commit === undefined ? [] : [`commit   ${origin.commit}`]),
        ...outputs.map((output) => `output   ${output.path}${output.kind === 'file' ? `  ${(0,base_bytes/* formatBytes */.z)(output.size)}` : ''}`),
        ...Object.entries(values).map(([key, value]) => `value    ${key}=${value}`),
        ...log.map((line) => `log      ${line}`),
    ];
}
/** What is known of a task's result besides its files; undefined when it is none of this version. */
async function recordOf({ key }, store, signal) {
    const folder = (0,external_node_path_.join)((0,external_node_os_.tmpdir)(), `image-cache-${(0,external_node_crypto_.randomUUID)()}`);
    await (0,promises_.mkdir)(folder, { mode: 0o700 });
    try {
        const file = (0,external_node_path_.join)(folder, 'entry');
        if ((await store.fetchFile(key, file)).kind !== 'hit')
            return undefined;
        const opened = await (0,unpack_outputs/* openEntry */.v)(file, signal);
        opened.close();
        return opened.record;
    }
    catch {
        return undefined;
    }
    finally {
        await (0,promises_.rm)(folder, { recursive: true, force: true });
    }
}
/** What differs between two keys of tasks, as the histories of tasks remember them. */
async function why(earlier, later, store) {
    const histories = (await store.list()).filter((entry) => cacheEntry(entry).kind === 'task-history');
    const known = new Map();
    for (const { key } of histories) {
        const answer = await store.fetch(key);
        if (answer.kind !== 'hit')
            continue;
        for (const past of await (0,key_history/* decodeHistory */.FU)(answer.body))
            known.set(past.key, past);
    }
    const [before, after] = [earlier, later].map((name) => pastNamed([...known.values()], name));
    const phrases = before === undefined || after === undefined ? [] : (0,explain_miss/* differences */.tX)(before.parts, after.parts);
    const lines = phrases.length === 0 ? ['nothing differs that the history tells'] : phrases;
    return { lines, json: { earlier: before?.key, later: after?.key, differences: phrases } };
}
function pastNamed(known, name) {
    const wanted = name.toLowerCase().replace(/^sha256:/, '');
    const found = known.filter(({ key }) => wanted.length >= 4 &&
        (key.slice('sha256:'.length).startsWith(wanted) || wanted.includes(key.slice('sha256:'.length))));
    const [first] = found;
    if (first !== undefined && found.length === 1)
        return first;
    const what = found.length === 0 ? 'is no key that a history remembers' : `names ${found.length} keys`;
    throw new errors/* ImageCacheError */.AO('E_INPUT', `KEY: ${JSON.stringify(name)} ${what}`, {
        hint: 'Histories hold the last ten keys of each task; give the first digits of one.',
    });
}
async function removeAll(entries, store) {
    for (const entry of entries)
        await store.remove(entry);
    return { entries: entries.length, bytes: entries.reduce((sum, { size }) => sum + size, 0) };
}
function removed({ entries, bytes }, verb) {
    return { lines: [`${verb} ${entries} entries, ${(0,base_bytes/* formatBytes */.z)(bytes)}`], json: { entries, bytes } };
}
async function verify(entries, store) {
    const broken = [];
    for (const file of entries) {
        const doubt = await store.check(file).catch(errors/* messageOf */.bD);
        if (doubt !== undefined)
            broken.push({ ...cacheEntry(file), doubt });
    }
    const lines = broken.map(({ id, kind, doubt }) => `${id}  ${kind}  ${doubt}`);
    return {
        lines: [...lines, `${entries.length} entries, ${broken.length} broken`],
        json: { entries: entries.length, broken },
        exitCode: broken.length === 0 ? 0 : 1,
    };
}


/***/ })

};
