"""What grid can be asked to do."""

from contracts.grid.commands.agencies import Agency, Jurisdiction, Person, PutAgency, PutJurisdiction, PutPerson
from contracts.grid.commands.areas import (
    AreaImport,
    AreaProperty,
    Attribute,
    ImportCrs,
    ImportState,
    PublishAreaImport,
    StartAreaImport,
)
from contracts.grid.commands.changes import (
    ChangeUndone,
    MergeGrids,
    NewGrid,
    Operation,
    RenameArea,
    ReviewPlan,
    SplitGrid,
    StartBoundaryChange,
    UndoBoundaryChange,
)
from contracts.grid.commands.devices import Device, DeviceKind, PutDevice
from contracts.grid.commands.fields import Crs, Name, Phone
from contracts.grid.commands.places import Place, PutPlace
from contracts.grid.commands.posts import Post, PutPost

__all__ = [
    "Agency",
    "AreaImport",
    "AreaProperty",
    "Attribute",
    "ChangeUndone",
    "Crs",
    "Device",
    "DeviceKind",
    "ImportCrs",
    "ImportState",
    "Jurisdiction",
    "MergeGrids",
    "Name",
    "NewGrid",
    "Operation",
    "Person",
    "Phone",
    "Place",
    "Post",
    "PublishAreaImport",
    "PutAgency",
    "PutDevice",
    "PutJurisdiction",
    "PutPerson",
    "PutPlace",
    "PutPost",
    "RenameArea",
    "ReviewPlan",
    "SplitGrid",
    "StartAreaImport",
    "StartBoundaryChange",
    "UndoBoundaryChange",
]
