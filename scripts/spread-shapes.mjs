import { RolldownMagicString } from 'rolldown';
import { parseSync, Visitor } from 'rolldown/utils';

/**
 * Makes `{ ...a, b }` into `{ ...{}, ...a, b }`, which says the same. V8 (seen in that of Node 20) copies an object that a literal begins with by
 * way of a hidden class that remembers no successors: each object that the literal then gives another property gets a class of its
 * own. That costs 1 to 2 us and 400 bytes a property, the code that reads such objects finds nothing cached, and the classes, which are
 * made old, keep what is young alive at each young collection. See docs/performance.md.
 * @type {import('rolldown').Plugin}
 */
export const spreadShapes = {
  name: 'spread-shapes',
  // Of what is written in the end: the bundler itself takes an empty spread out again.
  renderChunk(code, { fileName }) {
    const text = new RolldownMagicString(code);
    const visitor = new Visitor({
      ObjectExpression({ properties: [first, second] }) {
        if (first?.type === 'SpreadElement' && second !== undefined) text.prependLeft(first.start, '...{}, ');
      },
    });
    visitor.visit(parseSync(fileName, code).program);
    return { code: text.toString(), map: text.generateMap().toString() };
  },
};
