namespace Drivers.Serial;

/// <summary>Specifies the flow control of a line: the means by which one end makes the other pause.</summary>
public enum FtdiFlowControl
{
    /// <summary>They do not.</summary>
    None = 0,

    /// <summary>By the lines RTS and CTS.</summary>
    RtsCts = 1,

    /// <summary>By the lines DTR and DSR.</summary>
    DtrDsr = 2,

    /// <summary>By the characters 0x11 and 0x13 in the data.</summary>
    XonXoff = 4,
}
