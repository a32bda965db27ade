import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { faultsIn, placesOf, things } from "../support/declaration.ts";

suite("A child belongs to one parent of the same API", () => {
  const posts = things({}, "posts");
  const users = things({}, "users");

  test("one parent that is served is fine, at any depth and in any order", () => {
    const comments = things({ parent: { post: posts } }, "comments");
    const replies = things({ parent: { comment: comments } }, "replies");
    assert.deepEqual(faultsIn({ posts, comments, replies }), []);
    assert.deepEqual(faultsIn({ replies, comments, posts }), []);
  });

  test("two parents, or none, are told", () => {
    for (const [parent, count] of [
      [{ post: posts, user: users }, 2],
      [{}, 0],
      [null, 0],
    ] as const) {
      assert.deepEqual(faultsIn({ posts, users, comments: things({ parent }, "comments") }), [
        {
          where: "comments.parent",
          fault: `names ${count} resources.`,
          mend: "Name one: parent: { post: posts }.",
        },
      ]);
    }
  });

  test("a name that can't be a field is told", () => {
    for (const name of ["Post", "blog-post", "2post", "post_", ""]) {
      const comments = things({ parent: { [name]: posts } }, "comments");
      assert.deepEqual(faultsIn({ posts, comments }), [
        {
          where: `comments.parent.${name}`,
          fault: `"${name}Id" can't be a field.`,
          mend: "Name the parent in the singular, in camel case: parent: { post: posts }.",
        },
      ]);
    }
  });

  test("what is no resource is told, such as its name", () => {
    for (const parent of ["posts", undefined, {}, 1]) {
      const comments = things({ parent: { post: parent } }, "comments");
      assert.deepEqual(faultsIn({ posts, comments }), [
        {
          where: "comments.parent.post",
          fault: "is not a resource.",
          mend: "Write parent: { post: posts }.",
        },
      ]);
    }
  });

  test("a parent that is not part of the API is told by its name", () => {
    const comments = things({ parent: { post: posts } }, "comments");
    assert.deepEqual(faultsIn({ comments }), [
      {
        where: "comments.parent.post",
        fault: 'the resource "posts" is not part of the API.',
        mend: "Put the parent into api({ … }) too.",
      },
    ]);
  });

  test("two parents of one path that have the same name are told: the path needs both ids", () => {
    const comments = things({ parent: { parent: posts } }, "comments");
    const replies = things({ parent: { parent: comments } }, "replies");
    assert.deepEqual(placesOf(faultsIn({ posts, comments, replies })), ["replies.parent.parent"]);
  });
});
