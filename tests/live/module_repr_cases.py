# SPDX-License-Identifier: MIT
"""Modules whose repr is compared, as text: every class of torch.nn that can be built, with the arguments that change what it prints."""

# What torch.nn has, by name. A class that this PyTorch has not is skipped.
CASES = '''
Identity()  Linear(3, 2)  Linear(3, 2, bias=False)  Bilinear(2, 3, 4)  Bilinear(2, 3, 4, bias=False)  LazyLinear(3)  LazyLinear(3, bias=False)
Conv1d(2, 4, 3)  Conv2d(4, 4, 3)  Conv3d(1, 2, 2)  Conv1d(2, 4, 3, bias=False)  Conv2d(4, 8, (3, 1), stride=2, padding=(1, 0))  Conv2d(4, 4, 3, dilation=2)
Conv2d(4, 4, 3, groups=2)  Conv2d(4, 4, 3, padding='same')  Conv2d(4, 4, 3, padding='valid', bias=False)  Conv2d(4, 4, 3, padding=1, padding_mode='circular')
Conv1d(4, 4, 3, dilation=(2,), padding_mode='reflect')  Conv3d(2, 2, 1, padding=(0, 0, 1), padding_mode='replicate')  Conv1d(2, 4, 3, padding='same')
ConvTranspose1d(2, 3, 3)  ConvTranspose2d(2, 3, 3, output_padding=1, stride=2)  ConvTranspose3d(2, 4, 3, groups=2, bias=False)
ConvTranspose2d(2, 3, 3, stride=2, padding=1, output_padding=(1, 0), dilation=3)
LazyConv1d(2, 3)  LazyConv2d(2, 3, bias=False)  LazyConv3d(2, 3)  LazyConvTranspose1d(2, 3)  LazyConvTranspose2d(2, 3)  LazyConvTranspose3d(2, 3)
BatchNorm1d(2)  BatchNorm2d(3, eps=1e-3, momentum=None)  BatchNorm3d(2, affine=False)  BatchNorm1d(2, track_running_stats=False)  SyncBatchNorm(3)
SyncBatchNorm(3, affine=False)  LazyBatchNorm1d()  LazyBatchNorm2d(affine=False)  LazyBatchNorm3d()
InstanceNorm1d(2)  InstanceNorm2d(3, affine=True, track_running_stats=True)  InstanceNorm3d(2, momentum=0.25)  LazyInstanceNorm1d()  LazyInstanceNorm2d()
LazyInstanceNorm3d()  GroupNorm(2, 4)  GroupNorm(2, 4, affine=False)  GroupNorm(1, 4, eps=1e-6)  LayerNorm(3)  LayerNorm([2, 3])
LayerNorm((2, 3), elementwise_affine=False)  LayerNorm(3, eps=1)  LayerNorm(3, bias=False)  RMSNorm(3)  RMSNorm([2, 3], eps=1e-6)  RMSNorm(3, elementwise_affine=False)
BatchNorm2d(3, bias=False)  GroupNorm(2, 4, bias=False)  InstanceNorm2d(3, affine=True, bias=False)
LocalResponseNorm(2)  LocalResponseNorm(5, alpha=1e-5, beta=0.5, k=2)  CrossMapLRN2d(3)
Dropout()  Dropout(0.25, inplace=True)  Dropout(0)  Dropout1d()  Dropout2d(0.1)  Dropout3d()  AlphaDropout()  FeatureAlphaDropout(1.0)
ReLU()  ReLU(inplace=True)  ReLU(1)  ReLU6()  ReLU6(True)  SiLU()  SiLU(True)  Mish()  Mish(True)  SELU()  SELU(True)  Hardswish()  Hardswish(True)  Hardsigmoid()
Hardsigmoid(True)  Threshold(0.1, 20)  Threshold(0.1, 20, True)  RReLU()  RReLU(0.1, 0.2, True)  Hardtanh()  Hardtanh(-2, 2, True)  LeakyReLU()
LeakyReLU(0.2, True)  ELU()  ELU(0.5, True)  CELU()  CELU(2, True)  GELU()  GELU('tanh')  Hardshrink()  Hardshrink(0.25)  Softshrink()  Softshrink(1)  Softplus()
Softplus(2, 10)  PReLU()  PReLU(3)  Softmax()  Softmax(1)  LogSoftmax(-1)  LogSoftmax()  Softmin(0)  Softmin()  Softmax2d()  GLU()  GLU(1)  Sigmoid()  Tanh()
LogSigmoid()  Softsign()  Tanhshrink()
MaxPool1d(2)  MaxPool2d((2, 3), stride=(1, 2), padding=(1, 0), dilation=2, ceil_mode=True)  MaxPool3d(2, return_indices=True)  AvgPool1d(2)  AvgPool2d(3, 2, 1)
AvgPool2d((3, 2), ceil_mode=True)  AvgPool3d(2, count_include_pad=False)  MaxUnpool1d(2)  MaxUnpool2d(2, stride=3)  MaxUnpool3d((1, 2, 3))
LPPool1d(2, 3)  LPPool2d(1.2, (3, 2), stride=(2, 1))  LPPool2d(2, 3, ceil_mode=True)  LPPool3d(2, 3)  FractionalMaxPool2d(3, output_size=2)
FractionalMaxPool3d(3, output_ratio=0.5)  AdaptiveAvgPool1d(2)  AdaptiveAvgPool2d((None, 3))  AdaptiveAvgPool2d((5, 7))  AdaptiveAvgPool3d(1)  AdaptiveMaxPool1d(3)
AdaptiveMaxPool2d([2, 3])  AdaptiveMaxPool3d((1, None, 2), return_indices=True)
Embedding(5, 3)  Embedding(5, 3, padding_idx=0)  Embedding(5, 3, max_norm=1.5)  Embedding(5, 3, padding_idx=-1, max_norm=1, norm_type=1.0)  Embedding(5, 3, sparse=True)
Embedding(5, 3, scale_grad_by_freq=True)  EmbeddingBag(5, 3)  EmbeddingBag(5, 3, mode='sum', padding_idx=1)  EmbeddingBag(5, 3, max_norm=2, norm_type=3, scale_grad_by_freq=True)
EmbeddingBag(5, 3, mode='max', sparse=False)  Flatten()  Flatten(0, -2)  Unflatten(1, (2, 3))  Unflatten('f', (('a', 2), ('b', 3)))  Unflatten(1, torch.Size([2, 3]))
Fold((4, 5), 2)  Fold(output_size=4, kernel_size=(2, 2), dilation=2, padding=1, stride=(2, 1))  Unfold(3)  Unfold((2, 3), dilation=2, padding=(1, 0), stride=2)
ConstantPad1d(2, 3.5)  ConstantPad2d((1, 2, 3, 4), 0)  ConstantPad3d(1, -1.0)  ZeroPad1d(2)  ZeroPad2d(1)  ZeroPad2d((1, 1, 2, 0))  ZeroPad3d(1)  ReflectionPad1d(2)
ReflectionPad2d((1, 2, 3, 4))  ReflectionPad3d(1)  ReplicationPad1d(1)  ReplicationPad2d(2)  ReplicationPad3d((1, 2, 3, 4, 5, 6))  CircularPad1d(1)  CircularPad2d(1)
CircularPad3d(1)  Upsample(scale_factor=2)  Upsample(size=(4, 5), mode='bilinear')  Upsample(scale_factor=(2, 1.5), mode='bicubic', align_corners=True)  Upsample(7)
Upsample()  Upsample(2, scale_factor=3)  UpsamplingNearest2d(scale_factor=2)  UpsamplingBilinear2d(size=3)  PixelShuffle(2)  PixelUnshuffle(3)  ChannelShuffle(2)
RNN(2, 3)  RNN(2, 3, nonlinearity='relu', num_layers=2)  LSTM(2, 3)  LSTM(2, 4, num_layers=2, bias=False, batch_first=True, dropout=0.25, bidirectional=True, proj_size=2)
LSTM(2, 3, bidirectional=True)  LSTM(2, 3, num_layers=2, dropout=0.0)  GRU(2, 3)  GRU(2, 3, 2, dropout=0.5)  GRU(2, 3, batch_first=True)  RNNCell(2, 3)
RNNCell(2, 3, nonlinearity='relu')  RNNCell(2, 3, False)  LSTMCell(2, 3)  LSTMCell(2, 3, bias=False)  GRUCell(2, 3)
MultiheadAttention(4, 2)  MultiheadAttention(4, 2, dropout=0.1, bias=False, kdim=3, vdim=5, add_bias_kv=True)  Transformer(4, 2, 1, 1, 8)  Transformer(4, 2, 2, 3, 8)
TransformerEncoderLayer(4, 2, 8)  TransformerEncoderLayer(4, 2, 8, activation='gelu', norm_first=True)  TransformerDecoderLayer(4, 2, 8)
TransformerEncoderLayer(4, 2, 8, bias=False)  TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 3, norm=nn.LayerNorm(4))
TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 8), 2)  TransformerEncoderLayer(4, 2, 8, activation=nn.GELU())
Sequential()  Sequential(nn.Linear(1, 2), nn.Linear(1, 2))  Sequential(OrderedDict(first=nn.ReLU(), second=nn.Sequential(nn.ReLU(), nn.Identity())))
ModuleList()  ModuleList([nn.ReLU()])  ModuleList([nn.ReLU(), nn.ReLU()])  ModuleList([nn.Linear(1, 2), nn.Linear(1, 2), nn.Identity(), nn.Linear(1, 2)])
ModuleList([nn.Sequential(nn.Linear(1, 2), nn.ReLU()) for _ in range(3)])  ModuleList([nn.ModuleList([nn.ReLU(), nn.ReLU()]) for _ in range(2)] + [nn.ModuleList([nn.ReLU()])])
ModuleList([nn.Identity()] * 12)  ModuleDict()  ModuleDict({'x': nn.Linear(1, 1), 'päth': nn.ReLU(), 'a b': nn.Tanh()})  ModuleDict({'none': None, 'r': nn.ReLU()})
ModuleList([nn.ReLU(), None, None])  ParameterList()  ParameterList([nn.Parameter(torch.ones(2))])  ParameterList([nn.Parameter(torch.ones(2, 3)), nn.Parameter(torch.ones(()).half())])
ParameterList([nn.Parameter(torch.ones(2)), 3, 'text', nn.Identity()])  ParameterDict()  ParameterDict({'b': nn.Parameter(torch.ones(2)), 'a': nn.Parameter(torch.zeros(1).double())})
ParameterDict({'w': nn.Parameter(torch.ones(1, 2)), 'n': None, 't': torch.ones(1).bfloat16()})  Sequential(nn.ParameterList([nn.Parameter(torch.ones(1))]))
Sequential(nn.ParameterDict({'a': nn.Parameter(torch.ones(1)), 'b': nn.Parameter(torch.ones(1).int(), requires_grad=False)}))
L1Loss()  NLLLoss(weight=torch.ones(2))  NLLLoss2d()  PoissonNLLLoss()  GaussianNLLLoss()  KLDivLoss()  MSELoss(reduction='sum')  BCELoss()  BCEWithLogitsLoss(pos_weight=torch.ones(2))
HingeEmbeddingLoss()  MultiLabelMarginLoss()  SmoothL1Loss(beta=2.0)  HuberLoss()  SoftMarginLoss()  CrossEntropyLoss(label_smoothing=0.1)  MultiLabelSoftMarginLoss()
CosineEmbeddingLoss()  MarginRankingLoss()  MultiMarginLoss()  TripletMarginLoss()  TripletMarginWithDistanceLoss()  CTCLoss()  AdaptiveLogSoftmaxWithLoss(4, 10, [4, 8])
AdaptiveLogSoftmaxWithLoss(4, 10, [4, 8], head_bias=True)  LinearCrossEntropyLoss(3, 5)  LinearCrossEntropyLoss(3, 5, bias=True, reduction='sum')
PairwiseDistance()  CosineSimilarity(dim=2)  DataParallel(nn.Linear(2, 2))  Linear(np.int64(3), np.prod((2, 3)))  Dropout(np.float64(0.1))  Embedding(2**40, 0)
Linear(3, 2).half()  Sequential(nn.Linear(2, 2), nn.Sequential(nn.Dropout(1e-05), nn.LeakyReLU(1e20))).eval()
'''


def cases():
    """The texts, each the call of a class of torch.nn."""
    return [call for line in CASES.strip().splitlines() for call in line.split('  ')]


# The layers of torchvision.ops that no model of torchvision has.
OPS = '''RoIAlign(7, 0.5, 2)  RoIAlign((7, 5), 1.0, -1, True)  RoIPool(7, 0.5)  PSRoIAlign(3, 0.25, 2)  PSRoIPool((3, 3), 1)  StochasticDepth(0.2, 'row')
DropBlock2d(0.1, 3)  DropBlock3d(0.1, 3, True)  FrozenBatchNorm2d(3)  FrozenBatchNorm2d(3, 1e-3)  DeformConv2d(2, 4, 3)  DeformConv2d(2, 4, 3, 2, 1, 2, 2, False)
MultiScaleRoIAlign(['a', 'b'], 7, 2)  MLP(3, [2, 2])  Permute([0, 2, 1])  SqueezeExcitation(4, 2)  Conv2dNormActivation(2, 3)
FeaturePyramidNetwork([2, 4], 3)'''.replace('\n', '  ').split('  ')
