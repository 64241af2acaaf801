export const id = 695;
export const ids = [695,574];
export const modules = {

/***/ 2574:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  g: () => (/* binding */ runTaskCommand),
  taskCommand: () => (/* binding */ taskCommand)
});

// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(1455);
// EXTERNAL MODULE: ./lib/host/terminal-host.js
var terminal_host = __webpack_require__(7474);
// EXTERNAL MODULE: ./lib/inputs/task-inputs.js + 1 modules
var task_inputs = __webpack_require__(316);
// EXTERNAL MODULE: ./lib/report/task-report.js
var task_report = __webpack_require__(5097);
// EXTERNAL MODULE: ./lib/task-cache/run-task.js + 12 modules
var run_task = __webpack_require__(1558);
;// CONCATENATED MODULE: ./lib/task.js


/**
 * The task action's line: is the result of this task there already, and if not, run it and keep what it made.
 * @throws ImageCacheError when the task can't be run at all, or is cancelled
 */
async function runTaskStep({ spec, waitLimit }, deps) {
    const result = await (0,run_task/* runTask */.Z)(spec, { ...deps, waitLimit });
    const { status, key, why, values, exitCode, warnings } = result;
    const outputs = new Map([['cache-status', status], ['key', key ?? ''], ['why', why], ...Object.entries(values)]);
    return { outputs, exitCode, row: (0,task_report/* taskRow */.W0)(spec.name, result), warnings, result };
}

;// CONCATENATED MODULE: ./lib/cli/task-command.js





/**
 * `image-cache task … -- command`: one task through the cache. What it prints goes to standard output, or with `json`
 * to standard error, and the result to standard output.
 * @param argv the command behind `--`; empty when there is a script in `run`
 * @returns the task's own exit code
 */
function taskCommand(values, argv, json, world) {
    return runTaskCommand(values, world, async ({ host, surroundings, open }) => {
        const inputs = (0,task_inputs/* expectTask */.X)((0,task_inputs/* parseTaskInputs */.s)((name) => values.get(name) ?? '', { ...surroundings, argv }));
        const out = json ? world.stderr : world.stdout;
        const log = (line) => void out.write(`${line}\n`);
        const { result, row, warnings, exitCode } = await runTaskStep(inputs, { ...open(inputs.store), log });
        for (const warning of warnings)
            host.warning(warning);
        host.info((0,task_report/* taskLine */.er)(row));
        if (json)
            world.stdout.write(`${JSON.stringify({ name: inputs.spec.name, ...result }, null, 2)}\n`);
        return exitCode;
    });
}
/** Opens what a command about tasks needs, shows errors, and removes temporary files. Answers the exit code. */
async function runTaskCommand(values, world, command) {
    const host = new terminal_host/* TerminalHost */.L({ messages: world.stderr, inputs: values, env: world.env });
    const context = (0,terminal_host/* terminalContext */.u)(process.cwd());
    try {
        await (0,promises_.mkdir)(context.tempDir, { recursive: true, mode: 0o700 });
        const { env, signal } = world;
        let opened;
        const open = (store) => {
            opened = world.openTaskDeps({ host, context, store, env, signal, temporary: context.tempDir });
            return opened;
        };
        const exitCode = await command({ host, surroundings: await world.taskSurroundings(context, env), open });
        for (const trouble of (await opened?.store.flush?.()) ?? [])
            host.warning(trouble);
        return exitCode;
    }
    catch (error) {
        const failure = world.failureOf(error);
        host.error(failure.sentence);
        for (const line of [failure.hint, failure.stack])
            if (line !== '')
                host.info(line);
        return 1;
    }
    finally {
        await (0,promises_.rm)(context.tempDir, { recursive: true, force: true });
    }
}


/***/ }),

/***/ 9695:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   tasksCommand: () => (/* binding */ tasksCommand)
/* harmony export */ });
/* harmony import */ var node_fs_promises__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(1455);
/* harmony import */ var node_os__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(8161);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(6760);
/* harmony import */ var _base_clock_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(3462);
/* harmony import */ var _base_errors_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(9681);
/* harmony import */ var _flow_run_tasks_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(7652);
/* harmony import */ var _inputs_task_file_js__WEBPACK_IMPORTED_MODULE_6__ = __webpack_require__(5628);
/* harmony import */ var _report_task_report_js__WEBPACK_IMPORTED_MODULE_7__ = __webpack_require__(5097);
/* harmony import */ var _task_graph_task_graph_js__WEBPACK_IMPORTED_MODULE_10__ = __webpack_require__(4953);
/* harmony import */ var _task_command_js__WEBPACK_IMPORTED_MODULE_8__ = __webpack_require__(2574);
/* harmony import */ var _tasks_display_js__WEBPACK_IMPORTED_MODULE_9__ = __webpack_require__(3728);











/**
 * `image-cache tasks run`: a file of tasks as a graph, each through the cache.
 * @param wanted names of tasks; empty means all
 * @returns 0 when all are done, 1 when one failed
 */
function tasksCommand(wanted, options, world) {
    return (0,_task_command_js__WEBPACK_IMPORTED_MODULE_8__/* .runTaskCommand */ .g)(new Map(), world, async ({ surroundings, open }) => {
        const path = (0,node_path__WEBPACK_IMPORTED_MODULE_2__.resolve)(options.file);
        const text = await (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_0__.readFile)(path, 'utf8').catch((cause) => {
            const hint = 'Give its path with --file. Files of tasks are described in docs/tasks.md.';
            throw new _base_errors_js__WEBPACK_IMPORTED_MODULE_4__/* .ImageCacheError */ .AO('E_INPUT', `file: ${JSON.stringify(options.file)} can't be read`, { hint, cause });
        });
        const refresh = options.overwrite ? { tasks: 'all', why: '--overwrite' } : surroundings.refresh;
        const file = await (0,_inputs_task_file_js__WEBPACK_IMPORTED_MODULE_6__/* .parseTaskFile */ .L)(text, { ...surroundings, refresh, place: (0,node_path__WEBPACK_IMPORTED_MODULE_2__.basename)(path) });
        const order = (0,_task_graph_task_graph_js__WEBPACK_IMPORTED_MODULE_10__/* .orderTasks */ .x)(file.tasks, wanted);
        if (order.kind === 'wrong')
            throw new _base_errors_js__WEBPACK_IMPORTED_MODULE_4__/* .ImageCacheError */ .AO('E_INPUT', order.mistakes.join('; '));
        const display = await openDisplay(order.nodes.length, options.logs, world);
        const ends = await (0,_flow_run_tasks_js__WEBPACK_IMPORTED_MODULE_5__/* .runTasks */ .e)(order.nodes, open(file.store), {
            concurrency: options.concurrency ?? file.concurrency ?? (0,node_os__WEBPACK_IMPORTED_MODULE_1__.availableParallelism)(),
            keepGoing: options.keepGoing,
            ...display,
        }).finally(() => display.close());
        const rows = rowsOf(ends);
        world.stderr.write(`${(0,_report_task_report_js__WEBPACK_IMPORTED_MODULE_7__/* .tasksLine */ .Xs)(rows)}\n`);
        if (options.json)
            world.stdout.write(`${tasksJson(ends)}\n`);
        return rows.some(({ state }) => state === 'failed' || state === 'skipped') ? 1 : 0;
    });
}
async function openDisplay(total, logs, { stderr }) {
    const isTerminal = stderr.isTTY === true;
    return (0,_tasks_display_js__WEBPACK_IMPORTED_MODULE_9__/* .createTasksDisplay */ .n7)({
        total,
        logs,
        writeLine: (line) => void stderr.write(`${line}\n`),
        screen: isTerminal ? (await __webpack_require__.e(/* import() */ 676).then(__webpack_require__.bind(__webpack_require__, 676))).logUpdateStderr : undefined,
        size: () => ({ columns: stderr.columns ?? 100, rows: stderr.rows ?? 24 }),
        now: () => _base_clock_js__WEBPACK_IMPORTED_MODULE_3__/* .systemClock */ .m.now(),
    });
}
function rowsOf(ends) {
    return [...ends].map(([name, end]) => end.kind === 'done' ? (0,_report_task_report_js__WEBPACK_IMPORTED_MODULE_7__/* .taskRow */ .W0)(name, end.result) : (0,_report_task_report_js__WEBPACK_IMPORTED_MODULE_7__/* .skippedRow */ .P5)(name, end.because));
}
function tasksJson(ends) {
    const tasks = [...ends].map(([name, end]) => end.kind === 'done' ? { name, ...end.result } : { name, status: 'skipped', because: end.because });
    return JSON.stringify({ tasks }, null, 2);
}


/***/ })

};
