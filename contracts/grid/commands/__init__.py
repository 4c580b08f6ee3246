"""What grid can be asked to do."""

from contracts.grid.commands.agencies import Agency, Jurisdiction, Person, PutAgency, PutJurisdiction, PutPerson
from contracts.grid.commands.areas import (
    AreaImport,
    AreaProperty,
    Attribute,
    ImportCrs,
    ImportState,
    Numbering,
    PublishAreaImport,
    SnapWidth,
    StartAreaImport,
)
from contracts.grid.commands.changes import (
    BoundaryRestored,
    ChangeUndone,
    MergeGrids,
    MoveArea,
    NewGrid,
    Operation,
    RenameArea,
    RestoreBoundary,
    ReviewPlan,
    SplitGrid,
    StartBoundaryChange,
    UndoBoundaryChange,
)
from contracts.grid.commands.devices import Device, DeviceKind, PutDevice
from contracts.grid.commands.fields import Crs, Name, Phone
from contracts.grid.commands.overlays import AreaAlias, AreaAliases, Overlay, PutAreaAliases, PutOverlay
from contracts.grid.commands.places import Place, PutPlace
from contracts.grid.commands.posts import Post, PutPost

__all__ = [
    "Agency",
    "AreaAlias",
    "AreaAliases",
    "AreaImport",
    "AreaProperty",
    "Attribute",
    "BoundaryRestored",
    "ChangeUndone",
    "Crs",
    "Device",
    "DeviceKind",
    "ImportCrs",
    "ImportState",
    "Jurisdiction",
    "MergeGrids",
    "MoveArea",
    "Name",
    "NewGrid",
    "Numbering",
    "Operation",
    "Overlay",
    "Person",
    "Phone",
    "Place",
    "Post",
    "PublishAreaImport",
    "PutAgency",
    "PutAreaAliases",
    "PutDevice",
    "PutJurisdiction",
    "PutOverlay",
    "PutPerson",
    "PutPlace",
    "PutPost",
    "RenameArea",
    "RestoreBoundary",
    "ReviewPlan",
    "SnapWidth",
    "SplitGrid",
    "StartAreaImport",
    "StartBoundaryChange",
    "UndoBoundaryChange",
]
