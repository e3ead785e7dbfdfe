// Makes the world in which the expressions of one plan are evaluated: nothing in it can be changed, and nothing in it
// tells one evaluation from another. What is returned serves the engine; expressions cannot reach it.
(function () {
    'use strict';
    const { getPrototypeOf, getOwnPropertyDescriptor, defineProperty, freeze } = Object;
    const { ownKeys, construct, apply } = Reflect;
    const NativeDate = Date;
    const { getTime } = NativeDate.prototype;
    const isObject = (value) => typeof value === 'function' || (typeof value === 'object' && value !== null);

    // What is not named here goes, also what an engine of tomorrow brings: sources of time and chance, memory that
    // outlives an evaluation, compilers, jobs that nobody would run.
    const kept = [
        'Object', 'Function', 'Array', 'String', 'Number', 'Boolean', 'BigInt', 'Symbol', 'Math', 'JSON', 'Date', 'RegExp',
        'Map', 'Set', 'WeakMap', 'WeakSet', 'Reflect', 'Proxy', 'Iterator',
        'Error', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError', 'AggregateError',
        'InternalError', 'ArrayBuffer', 'DataView', 'Uint8Array', 'Uint8ClampedArray', 'Int8Array', 'Uint16Array',
        'Int16Array', 'Uint32Array', 'Int32Array', 'Float16Array', 'Float32Array', 'Float64Array', 'BigInt64Array',
        'BigUint64Array', 'parseInt', 'parseFloat', 'isNaN', 'isFinite', 'encodeURI', 'encodeURIComponent', 'decodeURI',
        'decodeURIComponent', 'escape', 'unescape', 'NaN', 'Infinity', 'undefined', 'globalThis',
    ];
    for (const name of ownKeys(globalThis)) if (!kept.includes(name)) delete globalThis[name];

    const refused = (name, why) => function () { throw new Error(`${name} is not available: ${why}`); };
    const alone = 'a document depends on its row alone';
    const compiler = (name) => refused(name, 'an expression is compiled once, as it is written');
    const hidden = (target, key, value) =>
        defineProperty(target, key, { value, writable: false, enumerable: false, configurable: false });

    hidden(globalThis, 'eval', compiler('eval'));
    const NoFunction = compiler('Function');
    hidden(NoFunction, 'prototype', Function.prototype);
    hidden(globalThis, 'Function', NoFunction);
    hidden(Math, 'random', refused('Math.random', alone));

    const now = refused('the time of now', alone);
    function FixedDate(...parts) {
        if (!new.target || parts.length === 0) now();
        return construct(NativeDate, parts, new.target === FixedDate ? NativeDate : new.target);
    }
    hidden(FixedDate, 'prototype', NativeDate.prototype);
    hidden(FixedDate, 'name', 'Date');
    for (const name of ['UTC', 'parse']) hidden(FixedDate, name, NativeDate[name]);
    hidden(FixedDate, 'now', now);
    hidden(NativeDate.prototype, 'constructor', FixedDate);
    hidden(globalThis, 'Date', FixedDate);

    // These are set for all errors at once, wherever they are made.
    delete Error.stackTraceLimit;
    delete Error.prepareStackTrace;

    const samples = [
        function () {}, () => {}, function* () {}, async function () {}, async () => {}, async function* () {}, class {},
        (function* () {})(), (async function* () {})(), [][Symbol.iterator](), ''[Symbol.iterator](),
        new Map()[Symbol.iterator](), new Set()[Symbol.iterator](), ''.matchAll(/a/g), [].values().map((x) => x),
        Iterator.from({ next() {} }), Iterator.from([].values()), new Uint8Array(0).values(),
        getOwnPropertyDescriptor((function () { return arguments; })(), 'callee').get,
    ];
    // Those of generators and of asynchronous functions are fixed by the engine. What they compile are functions, which
    // keep nothing in a world that cannot be changed; declarations that stay are made by `eval` alone.
    hidden(Function.prototype, 'constructor', NoFunction);

    // `o.constructor = 1` works on an object of one's own, though `Object.prototype.constructor` is fixed: the names may
    // come from the data.
    for (const owner of [Object.prototype, Error.prototype]) {
        for (const key of ownKeys(owner)) {
            const { value, configurable, enumerable } = getOwnPropertyDescriptor(owner, key);
            if (value === undefined || !configurable) continue;
            const get = () => value;
            const set = function (other) {
                if (this === owner || !isObject(this)) throw new TypeError(`${String(key)} is read-only`);
                defineProperty(this, key, { value: other, writable: true, enumerable: true, configurable: true });
            };
            defineProperty(owner, key, { get, set, enumerable, configurable: false });
        }
    }

    const fixed = new Set();
    const rest = [globalThis, NativeDate, ...samples];
    while (rest.length > 0) {
        const value = rest.pop();
        if (!isObject(value) || fixed.has(value)) continue;
        fixed.add(value);
        rest.push(getPrototypeOf(value));
        for (const key of ownKeys(value)) {
            const member = getOwnPropertyDescriptor(value, key);
            rest.push(member.value, member.get, member.set);
        }
    }
    fixed.forEach((value) => freeze(value));

    const kinds = new Map();
    for (const name of kept) {
        const prototype = isObject(globalThis[name]) ? globalThis[name].prototype : undefined;
        if (isObject(prototype)) kinds.set(prototype, name);
    }
    kinds.delete(Object.prototype);
    const long = 2n ** 63n;
    return {
        date: NativeDate,
        timeOf(value) {
            try { return apply(getTime, value, []); } catch { return NaN; }
        },
        // What an object is that is no plain one; nothing of those that are.
        kindOf(value) {
            if (fixed.has(value)) return 'built-in object';
            for (let at = getPrototypeOf(value); at !== null && at !== Object.prototype; at = getPrototypeOf(at)) {
                const kind = kinds.get(at);
                if (kind !== undefined) return kind;
            }
            return undefined;
        },
        isLong: (value) => value >= -long && value < long,
        freeze,
    };
})()
