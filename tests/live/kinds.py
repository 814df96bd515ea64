# SPDX-License-Identifier: MIT
"""Kinds of checkpoints for test_read.py: the registry, state dicts, training checkpoints, and files in which weights must be looked for.

A kind is a function(torch) that gives the object to save, registered by @kind. `since` is the first PyTorch that can make it; `later`
marks what brine lists as opaque for now: there only a listing without an error is asked for. Tensors of every sort are in kinds_tensors.py,
Python containers in kinds_plain.py, whole modules in kinds_modules.py, other objects in kinds_objects.py; every() has them all.
"""
import copy
from collections import OrderedDict, namedtuple

KINDS = {}
Kind = namedtuple('Kind', 'make since later')


def kind(since=(1, 13), later=False):
    def register(make):
        assert make.__name__ not in KINDS, make.__name__
        KINDS[make.__name__] = Kind(make, since, later)
        return make
    return register


def every():
    """name -> Kind, of all the files."""
    import kinds_modules, kinds_objects, kinds_plain, kinds_tensors
    return KINDS


def small_resnet(torch):
    nn = torch.nn
    block = lambda: nn.Sequential(OrderedDict(conv1=nn.Conv2d(8, 8, 3, bias=False), bn1=nn.BatchNorm2d(8), conv2=nn.Conv2d(8, 8, 3),
        bn2=nn.BatchNorm2d(8)))
    return nn.Sequential(OrderedDict(conv1=nn.Conv2d(3, 8, 7), bn1=nn.BatchNorm2d(8), relu=nn.ReLU(),
        layer1=nn.Sequential(block(), block()),
                                     avgpool=nn.AdaptiveAvgPool2d(1), fc=nn.Linear(8, 10)))


# state dicts

@kind()
def linear(torch):
    return torch.nn.Linear(4, 3).state_dict()


@kind()
def resnet_like(torch):
    return small_resnet(torch).state_dict()


@kind()
def tied_weights(torch):
    net = torch.nn.ModuleDict({'embed': torch.nn.Embedding(7, 4), 'out': torch.nn.Linear(4, 7)})
    net['out'].weight = net['embed'].weight
    return net.state_dict()


@kind()
def transformer_state(torch):
    return torch.nn.TransformerEncoderLayer(8, 2, 16).state_dict()


@kind()
def lstm_state(torch):
    return torch.nn.LSTM(3, 4, num_layers=2, bidirectional=True).state_dict()


@kind()
def ordered_with_metadata(torch):
    d = OrderedDict(w=torch.ones(2))
    d._metadata = OrderedDict([('', {'version': 1}), ('sub', {'version': 2, 'extra': torch.arange(3)})])
    d.another = [torch.zeros(1)]
    return d


@kind()
def metadata_but_no_tensors(torch):
    return torch.nn.ReLU().state_dict()


@kind()
def keep_vars(torch):
    return torch.nn.Linear(2, 2).state_dict(keep_vars=True)


@kind()
def extra_state_in_dict(torch):
    return OrderedDict([('a.w', torch.ones(2)), ('a._extra_state', {'any': [1, torch.zeros(3)]}), ('scale', 0.5), ('none', None)])


# roots, and where weights are found

@kind()
def bare_tensor(torch):
    return torch.arange(12.).reshape(3, 4)


@kind()
def list_of_tensors(torch):
    return [torch.ones(2), torch.arange(3), (torch.zeros(1), None)]


@kind()
def tuple_of_state_and_number(torch):
    return (torch.nn.Linear(2, 2).state_dict(), 17)


@kind()
def list_with_two_states(torch):
    return [torch.nn.Linear(2, 2).state_dict(), torch.nn.Linear(2, 1).state_dict()]


@kind()
def no_tensors(torch):
    return {'a': 1, 'b': [2, 'three']}


@kind()
def bare_number(torch):
    return 42


@kind()
def none(torch):
    return None


@kind()
def empty_dict(torch):
    return {}


@kind()
def sgd_checkpoint(torch):
    model = small_resnet(torch)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for p in model.parameters(): p.grad = torch.ones_like(p)
    optimizer.step()
    return {'epoch': 3, 'arch': 'resnet', 'state_dict': model.state_dict(), 'best_acc1': torch.tensor(71.5),
            'optimizer': optimizer.state_dict(),
            'scheduler': torch.optim.lr_scheduler.StepLR(optimizer, 3).state_dict()}


@kind()
def adam_checkpoint(torch):
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam([{'params': [model.weight]}, {'params': [model.bias], 'lr': 1e-4}], amsgrad=True)
    for p in model.parameters(): p.grad = torch.ones_like(p)
    optimizer.step()
    return {'model': model.state_dict(), 'optim': optimizer.state_dict(), 'rng': torch.get_rng_state(), 'step': 100}


@kind()
def model_and_ema(torch):
    model = torch.nn.Linear(3, 2)
    return {'ema': copy.deepcopy(model).state_dict(), 'model': model.state_dict()}


@kind()
def params_ema(torch):
    model = torch.nn.Linear(3, 2)
    return {'params': model.state_dict(), 'params_ema': copy.deepcopy(model).state_dict(), 'iter': 5}


@kind()
def two_unknown_names(torch):
    return {'generator': torch.nn.Linear(2, 2).state_dict(), 'discriminator': torch.nn.Linear(2, 1).state_dict()}


@kind()
def only_one_unknown_name(torch):
    return {'encoder': torch.nn.Linear(2, 2).state_dict(), 'config': {'layers': 2}, 'version': '1'}


@kind()
def model_dot_state_dict(torch):
    return {'model': {'state_dict': torch.nn.Linear(2, 2).state_dict(), 'name': 'x'}, 'weights': torch.ones(1)}


@kind()
def five_levels_down(torch):
    o = torch.nn.Linear(1, 1).state_dict()
    for key in ('net', 'model', 'weights', 'network', 'module', 'state_dict'): o = {key: o, 'n': 1}
    return o


@kind()
def four_levels_down(torch):
    o = torch.nn.Linear(1, 1).state_dict()
    for key in ('net', 'model', 'weights', 'state_dict'): o = {key: o, 'other': {'x': torch.ones(1)}}
    return o


@kind()
def tensors_and_a_dict(torch):
    return {'w': torch.ones(1), 'inner': {'v': torch.ones(2)}}
