namespace Native.LibUsb.Testing;

/// <summary>Specifies what a <see cref="FaultRule"/> does to a URB.</summary>
public enum FaultKind
{
    /// <summary>The host's system refuses the submission with <see cref="FaultRule.Error"/>. No URB is created.</summary>
    Refuse,

    /// <summary>The URB ends with <see cref="FaultRule.Status"/> after at most <see cref="FaultRule.Length"/> bytes.</summary>
    Status,

    /// <summary>
    /// The URB is completed after the device has answered and <see cref="FaultRule.Delay"/> has passed. Later URBs of the endpoint wait for this URB.
    /// </summary>
    Late,

    /// <summary>The device does not answer. The URB stays pending until the host unlinks it, or until the device is unplugged or reset.</summary>
    Never,

    /// <summary>An IN URB receives the data of the preceding URB again. The device receives the data of an OUT URB twice. Isochronous URBs are not
    /// affected.</summary>
    Duplicate,

    /// <summary>
    /// The URB is completed after the next URB of its endpoint. If the next URB is not completed within <see cref="FaultRule.Delay"/>, this URB is
    /// completed after that time.
    /// </summary>
    Reorder,

    /// <summary>An IN URB ends successfully after at most <see cref="FaultRule.Length"/> bytes, and the rest of the device's data is lost. Isochronous URBs
    /// are not affected.</summary>
    ShortPacket,

    /// <summary>
    /// An IN URB ends with <see cref="UrbStatus.Overflow"/>, as if the device had sent more data than requested. Isochronous URBs are not affected.
    /// </summary>
    Babble,

    /// <summary>Isochronous packets end with the results in <see cref="FaultRule.Pattern"/>.</summary>
    Packets,

    /// <summary>The device is unplugged at the moment that <see cref="FaultRule.Moment"/> specifies. From then on, the device does not answer.</summary>
    Unplug,

    /// <summary>
    /// The device is reset at the moment that <see cref="FaultRule.Moment"/> specifies, as if another program had reset it. The pending URBs of the device end
    /// with <see cref="UrbStatus.Shutdown"/>.
    /// </summary>
    Reset,
}
