"""Changes of the boundary in force: operations, plan, undo."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.areas import AreaCode
from contracts.codes import Code
from contracts.commands import Command, Reply
from contracts.grid.commands.fields import Crs, Name


class NewGrid(BaseModel):
    """A grid that a change makes; without `code` it gets the village's next number that was never given."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    code: AreaCode | None = None
    name: Name
    kind: Code | None = None


class SplitGrid(BaseModel):
    """Cut a grid by a line ([lon, lat] pairs that cross it); the pieces are named as a page is read: along rows
    from the north, each from the west."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    operation: Literal["split"] = "split"
    code: AreaCode
    line: list[tuple[Annotated[float, Field(ge=-180, le=180)], Annotated[float, Field(ge=-90, le=90)]]] = Field(
        min_length=2, max_length=1000
    )
    into: list[NewGrid] = Field(min_length=2, max_length=20)


class MergeGrids(BaseModel):
    """Make one grid of several that touch, all of one village."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    operation: Literal["merge"] = "merge"
    codes: list[AreaCode] = Field(min_length=2, max_length=20)
    into: NewGrid


class RenameArea(BaseModel):
    """Give an area of any level another name."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    operation: Literal["rename"] = "rename"
    code: AreaCode
    name: Name


class MoveArea(BaseModel):
    """Give a grid to another village, or a village with its grids to another town: the land goes with it.

    A grid gets `new_code` or the next number of its new village. A village keeps its code unless `new_code` is given;
    then its grids are numbered under that, with the digits they have.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    operation: Literal["move"] = "move"
    code: AreaCode
    parent: AreaCode
    new_code: AreaCode | None = None


Operation = Annotated[SplitGrid | MergeGrids | RenameArea | MoveArea, Field(discriminator="operation")]


class StartBoundaryChange(Command):
    """Carry out operations on the boundary in force, in a draft: checked and published like an import."""

    service: ClassVar[str] = "grid"
    import_id: UUID
    crs: Crs
    operations: list[Operation] = Field(min_length=1, max_length=50)


class ReviewPlan(Command):
    """Choose other grids for posts than a change's plan proposes: post id -> code of a grid made of the post's own."""

    service: ClassVar[str] = "grid"
    import_id: UUID
    posts: dict[UUID, AreaCode] = Field(min_length=1, max_length=1000)


class UndoBoundaryChange(Command):
    """Take back the change that made the version in force: its areas' former state is the next version, and posts
    that the change moved go back where nobody moved them since."""

    service: ClassVar[str] = "grid"
    import_id: UUID


class ChangeUndone(Reply):
    """The version in force now, which version it equals, and how many posts went back."""

    import_id: UUID
    boundary_version: int
    restored: int
    areas: int
    posts: int


class RestoreBoundary(Command):
    """Make a former boundary version the next one; posts on areas that it lacks go to those that have their land."""

    service: ClassVar[str] = "grid"
    version: int = Field(ge=1)
    expected_version: int | None = None


class BoundaryRestored(Reply):
    """The version in force now, which version it equals, and how many posts moved."""

    boundary_version: int
    restored: int
    areas: int
    posts: int
