export const id = 574;
export const ids = [574];
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


/***/ })

};
