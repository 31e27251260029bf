namespace Native.LibUsb.Testing;

/// <summary>Specifies what a <see cref="FaultRule"/> does to a URB.</summary>
public enum FaultKind
{
    /// <summary>The host's system refuses the submission with <see cref="FaultRule.Error"/>; the URB never exists.</summary>
    Refuse,

    /// <summary>The URB ends with <see cref="FaultRule.Status"/> after at most <see cref="FaultRule.Length"/> bytes.</summary>
    Status,

    /// <summary>The URB is answered, and given back after <see cref="FaultRule.Delay"/>. Those behind it on its endpoint wait.</summary>
    Late,

    /// <summary>The device does not answer: the URB stays until the host unlinks it or the device is unplugged or reset.</summary>
    Never,

    /// <summary>An IN URB gets the data of the one before it once more; the device takes the data of an OUT URB twice. Not on isochronous endpoints.</summary>
    Duplicate,

    /// <summary>The URB is answered, and given back after the next one of its endpoint, or after <see cref="FaultRule.Delay"/> if none ends in the
    /// meantime.</summary>
    Reorder,

    /// <summary>An IN URB ends well after at most <see cref="FaultRule.Length"/> bytes, and the rest of the device's data is lost. Not on isochronous
    /// endpoints.</summary>
    ShortPacket,

    /// <summary>The device sends more than the host requested: an IN URB ends with <see cref="UrbStatus.Overflow"/>. Not on isochronous endpoints.</summary>
    Babble,

    /// <summary>Isochronous packets end as <see cref="FaultRule.Pattern"/> says.</summary>
    Packets,

    /// <summary>The device is unplugged, at the <see cref="FaultRule.Moment"/>. Nothing is answered from then on.</summary>
    Unplug,

    /// <summary>The device is reset as by another program, at the <see cref="FaultRule.Moment"/>: what is with it ends with <see cref="UrbStatus.Shutdown"/>.</summary>
    Reset,
}
