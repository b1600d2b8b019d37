"""VOC's color map, for the scripts that write a palette: standard library only."""

PALETTE = [
    sum((id >> 3 * bit + channel & 1) << 7 - bit for bit in range(3))
    for id in range(256)
    for channel in range(3)
]
