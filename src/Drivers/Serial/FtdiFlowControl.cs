namespace Drivers.Serial;

/// <summary>Specifies the flow control of a line, with which each end can make the other pause.</summary>
public enum FtdiFlowControl
{
    /// <summary>There is no flow control.</summary>
    None = 0,

    /// <summary>The lines RTS and CTS control the flow.</summary>
    RtsCts = 1,

    /// <summary>The lines DTR and DSR control the flow.</summary>
    DtrDsr = 2,

    /// <summary>The characters 0x11 (XON) and 0x13 (XOFF) in the data control the flow.</summary>
    XonXoff = 4,
}
