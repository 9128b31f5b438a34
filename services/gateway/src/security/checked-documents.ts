import { GenerationalMap } from '@gantry/kernel/generational-map';
import {
  GraphQLError,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type GraphQLSchema,
  type ValidationRule,
} from 'graphql';

const REMEMBERED = 200;
/** Longer ones are checked every time, so that nobody can fill the memory with them. */
const LONGEST_REMEMBERED = 10_000;

/** Parses and validates documents, those that come again (each page and client has a handful) only once. */
export class CheckedDocuments {
  private readonly valid = new GenerationalMap<string, DocumentNode>(REMEMBERED);
  private readonly rules: readonly ValidationRule[];

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly maxTokens: number,
    limits: ValidationRule,
  ) {
    this.rules = [...specifiedRules, limits];
  }

  /** The document, or what is wrong with it. Throws what `parse` throws. */
  check(text: string): DocumentNode | readonly GraphQLError[] {
    const known = this.valid.get(text);
    if (known !== undefined) return known;
    const document = parse(text, { maxTokens: this.maxTokens });
    const errors = validate(this.schema, document, this.rules);
    if (errors.length > 0) return errors;
    if (text.length <= LONGEST_REMEMBERED) this.valid.set(text, document);
    return document;
  }
}
