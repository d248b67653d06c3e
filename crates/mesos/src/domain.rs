//! Where a master or an agent stands.

use serde::{Deserialize, Serialize};

/// Mesos' `DomainInfo.FaultDomain`. An agent is remote if its region is not the master's; zones play no part in offers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FaultDomain {
    /// For example a data centre or a cloud region.
    pub region: String,
    /// A part of the region that fails on its own.
    pub zone: String,
}
