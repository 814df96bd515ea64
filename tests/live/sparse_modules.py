# SPDX-License-Identifier: MIT
"""Pruned and sparse models whose state dict brine gives as PyTorch does: PRUNED and SPARSE, by name functions that make one."""
import torch
from torch import nn
from torch.nn.utils import prune

VERSION = tuple(int(part) for part in torch.__version__.split('.')[:2])
LAYOUTS = ['coo', 'csr'] + (['csc', 'bsr', 'bsc'] if VERSION >= (2, 0) else [])  # before, what is saved of the others does not load


def ao_pruning():
    try: import torch.ao.pruning as module
    except ImportError: import torch.ao.sparsity as module
    return module


# ---- pruned: weight_orig and weight_mask instead of weight; the weight again where it is made permanent; parametrised by torch.ao's sparsifiers

def pruned(net, how, *args, names=('weight',), permanent=False, **options):
    for name in names:
        how(net, name, *args, **options)
        if permanent: prune.remove(net, name)
    return net


def everywhere(how, **options):
    net = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2)))
    prune.global_unstructured([(net[0], 'weight'), (net[2][0], 'weight'), (net[2][2], 'bias')], how, **options)
    return net


def in_turn():
    net = nn.Linear(6, 4)
    prune.random_unstructured(net, 'weight', amount=5)
    prune.ln_structured(net, 'weight', amount=1, n=1, dim=0)
    prune.l1_unstructured(net, 'bias', amount=.5)
    return nn.ModuleDict({'inner': net, 'after': nn.Linear(4, 1)})


def sparsified(net, names, squashed=False):
    sparsifier = ao_pruning().WeightNormSparsifier(sparsity_level=.5, sparse_block_shape=(1, 2), zeros_per_block=1)
    sparsifier.prepare(net, [{'tensor_fqn': name} for name in names])
    sparsifier.step()
    if squashed: sparsifier.squash_mask()
    return net


def mlp(): return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))


PRUNED = {
    'pruned_l1': lambda: pruned(nn.Linear(5, 4), prune.l1_unstructured, amount=.3),
    'pruned_l1_both': lambda: pruned(nn.Linear(5, 4), prune.l1_unstructured, amount=2, names=('weight', 'bias')),
    'pruned_random': lambda: pruned(nn.Conv1d(2, 3, 3), prune.random_unstructured, amount=.5),
    'pruned_rows': lambda: pruned(nn.Conv2d(3, 4, 3), prune.ln_structured, amount=2, n=2, dim=0),
    'pruned_columns': lambda: pruned(nn.Conv2d(3, 4, 3, bias=False), prune.ln_structured, amount=1, n=float('inf'), dim=1),
    'pruned_structured': lambda: pruned(nn.Conv3d(2, 2, 2), prune.random_structured, amount=1, dim=0),
    'pruned_transposed': lambda: pruned(nn.ConvTranspose2d(2, 3, 2), prune.l1_unstructured, amount=.25),
    'pruned_identity': lambda: pruned(nn.Bilinear(2, 3, 2), prune.identity),
    'pruned_mask': lambda: pruned(nn.Embedding(3, 2), prune.custom_from_mask, mask=torch.tensor([[1, 0], [0, 1], [1, 1]])),
    'pruned_norm': lambda: pruned(nn.BatchNorm2d(4), prune.l1_unstructured, amount=1, names=('weight', 'bias')),
    'pruned_attention': lambda: pruned(nn.MultiheadAttention(4, 2), prune.l1_unstructured, amount=.5, names=('in_proj_weight',)),
    'pruned_double': lambda: pruned(nn.Linear(3, 2).double(), prune.l1_unstructured, amount=.5),
    'pruned_half': lambda: pruned(nn.Linear(3, 2).to(torch.bfloat16), prune.custom_from_mask, mask=torch.eye(2, 3)),
    'pruned_permanent': lambda: nn.Sequential(pruned(nn.Linear(5, 4), prune.l1_unstructured, amount=.5, permanent=True)),
    'pruned_everywhere': lambda: everywhere(prune.L1Unstructured, amount=.4), 'pruned_anywhere': lambda: everywhere(prune.RandomUnstructured, amount=9),
    'pruned_in_turn': in_turn,
    'sparsified': lambda: sparsified(mlp(), ['0.weight']), 'sparsified_all': lambda: sparsified(nn.ModuleDict({'a': mlp(), 'b': nn.Linear(2, 2)}), ['a.0.weight', 'a.2.weight', 'b.weight']),
    'sparsified_squashed': lambda: sparsified(mlp(), ['0.weight', '2.weight'], squashed=True),
}


# ---- sparse parameters and buffers

def laid_out(t, layout, block=(2, 2)):
    if layout == 'coo': return t.to_sparse()
    return getattr(t, f'to_sparse_{layout}')(*([block] if layout in ('bsr', 'bsc') else []))


def some(*shape, dtype=torch.float32):
    """About half of it zeros; no row of blocks is empty."""
    t = torch.randn(*shape)
    return torch.where(t > .2, t, torch.zeros(())).to(dtype)


class SparseLinear(nn.Module):
    def __init__(self, into, out, layout, dtype=torch.float32):
        super().__init__()
        self.weight = nn.Parameter(laid_out(some(out, into, dtype=dtype), layout))
        self.bias = nn.Parameter(torch.randn(out))


class GraphConv(nn.Module):
    """A layer over a graph: its adjacency is a buffer."""
    def __init__(self, layout, dtype=torch.float32, nodes=6):
        super().__init__()
        self.register_buffer('adjacency', laid_out((some(nodes, nodes) != 0).to(dtype), layout))
        self.register_buffer('degrees', laid_out(torch.arange(1., nodes + 1).diag(), layout), persistent=False)
        self.fc = nn.Linear(nodes, 2)


class Holder(nn.Module):
    """Buffers of any sort."""
    def __init__(self, **buffers):
        super().__init__()
        for name, t in buffers.items(): self.register_buffer(name, t)


def hybrid(coalesced):
    t = torch.sparse_coo_tensor(torch.tensor([[0, 2, 0], [1, 0, 1]]), torch.randn(3, 2), (3, 2, 2))
    return t.coalesce() if coalesced else t


def pruned_then_sparse(layout):
    net = pruned(nn.Linear(6, 4), prune.l1_unstructured, amount=.5, permanent=True)
    net.weight = nn.Parameter(laid_out(net.weight.detach(), layout))
    return nn.Sequential(net, nn.Linear(4, 2))


def tied():
    first, second = SparseLinear(4, 4, 'coo'), SparseLinear(4, 4, 'coo')
    second.weight = first.weight
    return nn.ModuleList([first, second])


def frozen():
    net = SparseLinear(4, 2, 'csr')
    net.weight.requires_grad_(False)
    return nn.Sequential(net, nn.PReLU())


def deep(layout):
    return nn.ModuleDict({'encoder': nn.Sequential(SparseLinear(4, 6, layout), nn.ModuleList([GraphConv(layout), GraphConv('coo')])), 'head': nn.Linear(6, 2)})


SPARSE = {
    **{f'sparse_linear_{layout}': lambda layout=layout: SparseLinear(6, 4, layout) for layout in LAYOUTS},
    **{f'sparse_linear_{layout}_{str(dtype)[6:]}': lambda layout=layout, dtype=dtype: SparseLinear(6, 4, layout, dtype) for layout in ('coo', 'csr') for dtype in (torch.float64, torch.complex64)},
    **{f'sparse_graph_{layout}': lambda layout=layout: GraphConv(layout) for layout in LAYOUTS},
    **{f'sparse_graph_{layout}_{str(dtype)[6:]}': lambda layout=layout, dtype=dtype: GraphConv(layout, dtype) for layout in ('coo', 'csr') for dtype in (torch.int64, torch.float64)},
    **{f'sparse_deep_{layout}': lambda layout=layout: deep(layout) for layout in LAYOUTS},
    **{f'sparse_pruned_{layout}': lambda layout=layout: pruned_then_sparse(layout) for layout in LAYOUTS},
    'sparse_hybrid': lambda: Holder(a=hybrid(True), b=hybrid(False)),
    'sparse_repeated': lambda: Holder(edges=torch.sparse_coo_tensor(torch.tensor([[1, 1, 0, 1], [0, 0, 2, 0]]), torch.tensor([1e8, .3, -2., .7]), (2, 3))),
    'sparse_vector': lambda: Holder(v=torch.tensor([0., 2, 0, -0.]).to_sparse(), none=None, flags=torch.tensor([True, False]).to_sparse()),
    'sparse_empty': lambda: Holder(a=torch.zeros(3, 4).to_sparse(), b=torch.zeros(3, 4).to_sparse_csr()),
    'sparse_small_indices': lambda: Holder(a=torch.sparse_csr_tensor(torch.tensor([0, 1, 3], dtype=torch.int32), torch.tensor([1, 0, 2], dtype=torch.int32), torch.randn(3), (2, 3))),
    'sparse_tied': tied, 'sparse_frozen': frozen,
    'sparse_and_masked': lambda: nn.Sequential(pruned(nn.Linear(6, 6), prune.l1_unstructured, amount=.5), GraphConv('csr'), nn.EmbeddingBag(4, 2, sparse=True)),
}
if VERSION >= (2, 0):
    SPARSE['sparse_batch'] = lambda: Holder(a=torch.stack([some(4, 4) + 9] * 2).to_sparse_csr(), b=torch.stack([some(4, 4)] * 2).to_sparse_bsr((2, 2)))
    SPARSE['sparse_dense_values'] = lambda: Holder(a=some(4, 6, 3).to_sparse_csr(dense_dim=1), b=some(4, 6, 3).to_sparse_bsc((2, 3), dense_dim=1))
    SPARSE['sparse_all'] = lambda: Holder(**{layout: laid_out(some(4, 6, dtype=torch.float16), layout) for layout in LAYOUTS})
